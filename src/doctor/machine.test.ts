import { expect, it } from "vitest";
import { checkMachine, type MachineFacts } from "./machine.ts";

const good: MachineFacts = {
  node: "20.20.2",
  wantedNode: ">=20.20",
  platform: "linux",
  arch: "x64",
  cpuInfo: "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu avx2 avx512_vnni\nprocessor\t: 1\n",
  processors: 4,
  threads: 2,
  freeBytes: 4e9,
};
const verdicts = (facts: Partial<MachineFacts>) => checkMachine({ ...good, ...facts }).map(({ verdict }) => verdict);

it("is content with a machine that has everything", () => {
  const findings = checkMachine(good);
  expect(findings.map(({ name, verdict }) => `${name} ${verdict}`)).toEqual([
    "Node.js ok",
    "processor ok",
    "threads ok",
    "memory ok",
  ]);
  expect(findings[1]!.seen).toBe("Some CPU with AVX2 and VNNI");
});

it("compares Node's version by numbers, not by letters", () => {
  expect(verdicts({ node: "20.9.0" })[0]).toBe("fail");
  expect(verdicts({ node: "20.20.0" })[0]).toBe("ok");
  expect(verdicts({ node: "9.99.0" })[0]).toBe("fail");
  expect(verdicts({ node: "22.0.0" })[0]).toBe("ok");
  expect(checkMachine({ ...good, node: "18.1.0" })[0]!.remedy).toContain("20.20");
});

it("knows what the network's 8-bit kernels run on", () => {
  const seen = (facts: Partial<MachineFacts>) => checkMachine({ ...good, ...facts })[1]!;
  expect(seen({ cpuInfo: "flags : fpu sse2\n" })).toMatchObject({
    verdict: "warn",
    seen: expect.stringContaining("without AVX2"),
  });
  expect(seen({ cpuInfo: "flags : avx2\n" })).toMatchObject({
    verdict: "ok",
    seen: expect.stringContaining("without VNNI"),
  });
  expect(seen({ arch: "arm64", cpuInfo: "Features\t: fp asimd asimddp\n" })).toMatchObject({ verdict: "ok" });
  expect(seen({ arch: "arm64", cpuInfo: "Features\t: fp asimd\n" })).toMatchObject({ verdict: "warn" });
  expect(seen({ arch: "arm64", platform: "darwin", cpuInfo: undefined })).toMatchObject({ verdict: "ok" });
  expect(seen({ arch: "riscv64", cpuInfo: "isa : rv64\n" })).toMatchObject({ verdict: "warn" });
});

it("wants no more threads than there are processors, and the memory of a replay", () => {
  expect(verdicts({ threads: 8 })[2]).toBe("warn");
  expect(checkMachine({ ...good, threads: 8 })[2]!.remedy).toContain("--intra-op-threads) to 4");
  expect(verdicts({ freeBytes: 599e6 })[3]).toBe("warn");
  expect(verdicts({ freeBytes: 600e6 })[3]).toBe("ok");
});
