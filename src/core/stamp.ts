/** A stamp as people read it: seconds with all the nanoseconds that matter, e.g. `1403715273.262143 s`. */
export function stampText(stampNs: bigint): string {
  const sign = stampNs < 0n ? "-" : "";
  const ns = stampNs < 0n ? -stampNs : stampNs;
  const digits = (ns % 1_000_000_000n).toString().padStart(9, "0");
  return `${sign}${ns / 1_000_000_000n}.${digits.replace(/0{1,6}$/, "")} s`;
}

/** A span of time as people read it, in milliseconds: `12.5 ms`. */
export function spanText(spanNs: bigint): string {
  const ms = Number(spanNs) / 1e6;
  return `${Number(ms.toFixed(3))} ms`;
}
