import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { readAll, someMessages, writeDb3, writeMcap, zstdChunks } from "../../test/support/bag-fixtures.ts";
import { tempFolder } from "../../test/support/temp.ts";
import { Fault } from "../core/fault.ts";

const folder = tempFolder();
const messages = someMessages(12);

/** Flips, overwrites and cuts: whatever the bytes are, there is a `Fault` or a list of messages, and an end. */
// Places in ten-thousandths of the file: fc.double would be near 0 almost always.
const damage = fc.record({
  flips: fc.array(fc.tuple(fc.nat(9999), fc.integer({ min: 1, max: 255 })), { maxLength: 4 }),
  cut: fc.option(fc.integer({ min: 1, max: 10_000 })),
});

it("property: neither do databases", async () => {
  const whole = readFileSync(writeDb3(join(folder, "whole.db3"), messages));
  const path = join(folder, "damaged.db3");
  await fc.assert(
    fc.asyncProperty(damage, (given) => read(whole, path, given, false)),
    { numRuns: 60 },
  );
});

it.each([
  ["indexed", {}, true],
  ["zstd", zstdChunks, true],
  ["without message indexes", { useMessageIndex: false }, false],
  ["without chunks", { useChunks: false }, false],
])("property: damaged mcap files end in faults, never in surprises: %s", async (name, options, isGuarded) => {
  const whole = readFileSync(await writeMcap(join(folder, `${name}.mcap`), messages, options));
  const path = join(folder, `${name}-damaged.mcap`);
  const property = fc.asyncProperty(damage, (given) => read(whole, path, given, isGuarded));
  await fc.assert(property, { numRuns: 150 });
});

interface Damage {
  readonly flips: readonly (readonly [where: number, value: number])[];
  readonly cut: number | null;
}

/** `isGuarded`: the file has checksums and says twice what is in it, so that nothing can go missing unnoticed. */
async function read(whole: Buffer, path: string, { flips, cut }: Damage, isGuarded: boolean): Promise<void> {
  const bytes = Buffer.from(whole.subarray(0, Math.ceil((whole.length * (cut ?? 10_000)) / 10_000)));
  for (const [where, value] of flips) bytes[Math.floor((where * bytes.length) / 10_000)]! ^= value;
  writeFileSync(path, bytes);
  try {
    const { got, faults } = await readAll(path);
    // A chunk that is cut as well as flipped has no checksum left that would tell rubbish from a message.
    if (cut === null || flips.length === 0) expect(got.length).toBeLessThanOrEqual(messages.length);
    if (isGuarded && got.length < messages.length) expect(faults.length).toBeGreaterThan(0);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(Fault);
  }
}
