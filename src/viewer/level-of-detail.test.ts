import { expect, it } from "vitest";
import { chooseDetail, isSoftwareRenderer } from "./level-of-detail.ts";

it("knows renderers that have no GPU", () => {
  expect(isSoftwareRenderer("ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)), SwiftShader driver)")).toBe(
    true,
  );
  expect(isSoftwareRenderer("llvmpipe (LLVM 15.0.6, 256 bits)")).toBe(true);
  expect(isSoftwareRenderer("ANGLE (NVIDIA, NVIDIA GeForce RTX 3060 Direct3D11)")).toBe(false);
});

it("draws points where cubes would be slow, unless told", () => {
  expect(chooseDetail("auto", 8_001, "software")).toBe("points");
  expect(chooseDetail("auto", 8_000, "software")).toBe("cubes");
  expect(chooseDetail("auto", 500_000, "hardware")).toBe("cubes");
  expect(chooseDetail("auto", 600_001, "hardware")).toBe("points");
  expect(chooseDetail("cubes", 900_000, "software")).toBe("cubes");
  expect(chooseDetail("points", 1, "hardware")).toBe("points");
});
