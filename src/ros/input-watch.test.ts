import { describe, expect, it } from "vitest";
import { type InputSeen, inputProblem, pairingText, StampWatch } from "./input-watch.ts";
import { qosConflict } from "./qos.ts";
import type { RclEndpoint } from "./rclnodejs.ts";

const [RELIABLE, BEST_EFFORT] = [1, 2];
const [TRANSIENT_LOCAL, VOLATILE] = [1, 2];
const ms = 1_000_000n;

function endpoint(name: string, reliability: number, durability = VOLATILE): RclEndpoint {
  const qos_profile = { reliability, durability };
  return { node_name: name, node_namespace: "/cam", topic_type: "sensor_msgs/msg/Image", qos_profile };
}

const seen: InputSeen = {
  topic: "/cam/right/image_rect",
  type: "sensor_msgs/msg/Image",
  publishers: [endpoint("driver", RELIABLE)],
  own: endpoint("stereo_voxel_node", BEST_EFFORT),
  silentS: 0.1,
};

describe("qosConflict", () => {
  it("knows who hears whom", () => {
    const pairs = [RELIABLE, BEST_EFFORT].flatMap((a) => [RELIABLE, BEST_EFFORT].map((b) => [a, b] as const));
    const heard = pairs.map(([offered, asked]) =>
      qosConflict(endpoint("a", offered).qos_profile, endpoint("b", asked).qos_profile),
    );
    expect(heard.map((conflict) => conflict === undefined)).toEqual([true, true, false, true]);
    const late = qosConflict(endpoint("a", RELIABLE).qos_profile, endpoint("b", RELIABLE, TRANSIENT_LOCAL).qos_profile);
    expect(late).toBe("the publisher is VOLATILE and the subscriber asks for TRANSIENT_LOCAL");
  });
});

describe("inputProblem", () => {
  it.each([
    [{}, undefined, undefined],
    [
      { publishers: [], silentS: undefined },
      "INPUT_STALE",
      "Nobody publishes the right image on /cam/right/image_rect. Start",
    ],
    [{ publishers: [], silentS: 3 }, "INPUT_STALE", "any more (the last message came 3.0 s ago)"],
    [
      { silentS: 2.5 },
      "INPUT_STALE",
      "/cam/driver publishes the right image on /cam/right/image_rect, but nothing has come for 2.5 s",
    ],
    [
      { silentS: undefined, type: "sensor_msgs/msg/CompressedImage" },
      "TOPIC_TYPE",
      "carries sensor_msgs/msg/Image, wanted sensor_msgs/msg/CompressedImage",
    ],
    [
      { silentS: undefined, publishers: [endpoint("driver", BEST_EFFORT)], own: endpoint("me", RELIABLE) },
      "QOS_INCOMPATIBLE",
      "cannot arrive: the publisher is BEST_EFFORT and the subscriber asks for RELIABLE. Set qos_overrides./cam/right/image_rect.subscription",
    ],
  ])("%j", (change, code, text) => {
    const problem = inputProblem("right image", { ...seen, ...change } as InputSeen, 1);
    expect(problem?.code).toBe(code);
    if (text !== undefined) expect(problem?.message).toContain(text);
  });
});

describe("StampWatch", () => {
  it("finds by how much the eyes differ, once enough images have come without a pair", () => {
    const watch = new StampWatch();
    for (let i = 0n; i < 4n; i += 1n) {
      expect(watch.rightAfterLeftNs).toBeUndefined();
      watch.see("left", i * 100n * ms);
      watch.see("right", i * 100n * ms + 31n * ms);
    }
    expect(watch.rightAfterLeftNs).toBe(31n * ms);
    watch.clear();
    expect(watch.rightAfterLeftNs).toBeUndefined();
  });

  it("is told in a sentence", () => {
    expect(pairingText(seen, 31n * ms, { approximate: false, slopS: 0.02 })).toContain(
      "the right image arrives on /cam/right/image_rect with RELIABLE QoS 31 ms after left; approximate_sync is off",
    );
    expect(pairingText(seen, -40n * ms, { approximate: true, slopS: 0.02 })).toContain(
      "40 ms before left; approximate_sync is on with a sync_slop of 20 ms",
    );
  });
});
