import { expect, it } from "vitest";
import { scanKernel } from "../../src/octree/scan-kernel.ts";
import { kernelOf } from "../support/compile-kernel.ts";

it("the kernel in src/octree/scan-kernel.ts is the one of assembly/scan.ts; else run `npm run build:kernel`", async () => {
  expect(Buffer.from(scanKernel, "base64").equals(await kernelOf("scan"))).toBe(true);
});
