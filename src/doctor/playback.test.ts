import { expect, it } from "vitest";
import { checkPlayback } from "./playback.ts";

it("misses transient local on static transforms, and on nothing else", () => {
  const images = { name: "/left/image", isLatched: false };
  expect(checkPlayback([images, { name: "/tf", isLatched: false }])).toBeUndefined();
  expect(checkPlayback([images, { name: "/tf_static", isLatched: true }])).toMatchObject({ verdict: "ok" });
  expect(checkPlayback([{ name: "/robot/tf_static", isLatched: false }])).toMatchObject({
    verdict: "warn",
    seen: expect.stringContaining("/robot/tf_static is offered volatile"),
    remedy: expect.stringContaining("voxelguard bag cut"),
  });
});
