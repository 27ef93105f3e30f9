import type { StampedImage } from "../../src/core/image.ts";
import type { Side } from "../../src/core/ports.ts";
import { StereoPairer } from "../../src/pipeline/pair.ts";
import { Figure, ink } from "./svg.ts";

const PERIOD_MS = 100;

/** Stamps of each eye, ms: one right image is lost, one left image comes 40 ms after its partner's. */
const stampsMs = {
  left: [0, 101, 200, 299, 401, 540, 601, 700],
  right: [2, 99, 203, 402, 500, 599, 702],
} as const satisfies Record<Side, readonly number[]>;

/** Made-up stamps through the real pairing: what pairs, what is dropped, and as what. */
export function timeFigure(): string {
  const figure = new Figure("Images of two eyes by their stamps, paired and dropped", 960, 230);
  const rows = { left: 80, right: 150 };
  const x = (ms: number) => 90 + ms * 1.15;
  const drops: { side: Side; ms: number; cause: string }[] = [];
  const pairer = new StereoPairer({
    mode: "auto",
    slopNs: 20_000_000n,
    queueSize: 10,
    onEvent: (event) => {
      if (event.kind === "dropped")
        drops.push({ side: event.side, ms: Number(event.stampNs) / 1e6, cause: event.cause });
    },
  });
  const arrivals = (["left", "right"] as const)
    .flatMap((side) => stampsMs[side].map((ms) => ({ side, ms })))
    .sort((a, b) => a.ms - b.ms);
  const pairs = arrivals.flatMap(({ side, ms }) => pairer.push(side, imageAt(ms)));
  pairs.push(...pairer.flush());
  figure.text(40, 32, "Images by their stamps (auto: the nearest within a quarter of the frame period)", { size: 15 });
  for (const side of ["left", "right"] as const) {
    figure.text(40, rows[side] + 5, side);
    figure.line(
      [
        [84, rows[side]],
        [930, rows[side]],
      ],
      ink.unknown,
      1,
    );
    for (const ms of stampsMs[side]) figure.rect(x(ms) - 6, rows[side] - 10, 12, 20, ink.line, 'rx="2"');
  }
  for (const { left, right } of pairs) {
    const [l, r] = [Number(left.stampNs) / 1e6, Number(right.stampNs) / 1e6];
    figure.line(
      [
        [x(l), rows.left],
        [x(r), rows.right],
      ],
      ink.good,
      3,
    );
    figure.text((x(l) + x(r)) / 2, 190, `${Math.abs(l - r)} ms`, { size: 11, anchor: "middle", fill: ink.good });
  }
  for (const { side, ms, cause } of drops) {
    const at = rows[side];
    figure.line(
      [
        [x(ms) - 8, at - 12],
        [x(ms) + 8, at + 12],
      ],
      ink.bad,
      3,
    );
    figure.text(x(ms), side === "left" ? at - 18 : at + 28, cause, { size: 12, anchor: "middle", fill: ink.bad });
  }
  figure.text(
    40,
    216,
    `${pairs.length} pairs, ${drops.length} images counted as dropped; frame period ${PERIOD_MS} ms`,
    { size: 11 },
  );
  return figure.toString();
}

function imageAt(ms: number): StampedImage {
  const image = { width: 1, height: 1, channels: 1 as const, data: new Uint8Array(1) };
  return { image, stampNs: BigInt(ms) * 1_000_000n, frameId: "left" };
}
