import { describe, expect, it } from "vitest";
import { findStereoTopics } from "./stereo-topics.ts";

const types = {
  i: "sensor_msgs/msg/Image",
  c: "sensor_msgs/msg/CompressedImage",
  n: "sensor_msgs/msg/CameraInfo",
  t: "tf2_msgs/msg/TFMessage",
  o: "std_msgs/msg/String",
};

/** `i:/left/image_raw` = an Image topic of that name; `=0` behind it: without messages. */
function topics(...specs: string[]): { name: string; type: string; count: number }[] {
  return specs.map((spec) => {
    const [kind, rest] = [spec[0] as keyof typeof types, spec.slice(2)];
    const [name = "", count = "9"] = rest.split("=");
    return { name, type: types[kind], count: Number(count) };
  });
}

describe("the usual names", () => {
  it.each([
    [
      "image_pipeline",
      ["i:/left/image_rect", "i:/right/image_rect", "n:/left/camera_info", "n:/right/camera_info"],
      "/left/image_rect",
      "/left/camera_info",
      true,
    ],
    [
      "raw only",
      ["i:/cam/left/image_raw", "i:/cam/right/image_raw", "n:/cam/left/camera_info", "n:/cam/right/camera_info"],
      "/cam/left/image_raw",
      "/cam/left/camera_info",
      false,
    ],
    [
      "EuRoC, infos elsewhere",
      ["i:/cam0/image_raw", "i:/cam1/image_raw", "n:/info/cam0", "n:/info/cam1"],
      "/cam0/image_raw",
      undefined,
      false,
    ],
    [
      "EuRoC",
      ["i:/cam0/image_raw", "i:/cam1/image_raw", "n:/cam0/camera_info", "n:/cam1/camera_info"],
      "/cam0/image_raw",
      "/cam0/camera_info",
      false,
    ],
    [
      "RealSense",
      [
        "i:/camera/infra1/image_rect_raw",
        "i:/camera/infra2/image_rect_raw",
        "i:/camera/depth/image_rect_raw",
        "n:/camera/infra1/camera_info",
        "n:/camera/infra2/camera_info",
        "n:/camera/depth/camera_info",
      ],
      "/camera/infra1/image_rect_raw",
      "/camera/infra1/camera_info",
      true,
    ],
    [
      "ZED",
      [
        "i:/zed/zed_node/left/image_rect_color",
        "i:/zed/zed_node/right/image_rect_color",
        "i:/zed/zed_node/rgb/image_rect_color",
        "i:/zed/zed_node/left_raw/image_raw_color",
        "i:/zed/zed_node/right_raw/image_raw_color",
        "n:/zed/zed_node/left/camera_info",
        "n:/zed/zed_node/right/camera_info",
        "n:/zed/zed_node/left_raw/camera_info",
        "n:/zed/zed_node/right_raw/camera_info",
      ],
      "/zed/zed_node/left/image_rect_color",
      "/zed/zed_node/left/camera_info",
      true,
    ],
    [
      "KITTI",
      [
        "i:/kitti/camera_gray_left/image_raw",
        "i:/kitti/camera_gray_right/image_raw",
        "i:/kitti/camera_color_left/image_raw",
        "i:/kitti/camera_color_right/image_raw",
        ...["gray_left", "gray_right", "color_left", "color_right"].map((at) => `n:/kitti/camera_${at}/camera_info`),
      ],
      "/kitti/camera_gray_left/image_raw",
      "/kitti/camera_gray_left/camera_info",
      false,
    ],
    [
      "compressed only",
      [
        "c:/stereo/left/image_rect/compressed",
        "c:/stereo/right/image_rect/compressed",
        "n:/stereo/left/camera_info",
        "n:/stereo/right/camera_info",
      ],
      "/stereo/left/image_rect/compressed",
      "/stereo/left/camera_info",
      true,
    ],
    [
      "Isaac",
      [
        "i:/left/image_rect",
        "i:/right/image_rect",
        "n:/left/camera_info",
        "n:/left/camera_info_rect",
        "n:/right/camera_info",
        "n:/right/camera_info_rect",
      ],
      "/left/image_rect",
      "/left/camera_info_rect",
      true,
    ],
    ["info names of its own", ["i:/l/pic", "i:/r/pic", "n:/l/calib", "n:/r/calib"], "/l/pic", "/l/calib", undefined],
    [
      "flat names",
      ["i:/robot/left_image", "i:/robot/right_image", "n:/robot/left_info", "n:/robot/right_info"],
      "/robot/left_image",
      "/robot/left_info",
      undefined,
    ],
  ] as const)("%s", (_name, specs, image, info, rectified) => {
    const find = () => findStereoTopics(topics(...specs));
    if (info === undefined) {
      expect(find).toThrow(expect.objectContaining({ code: "CALIBRATION_MISSING" }));
      return;
    }
    const { left, right } = find();
    expect(left).toMatchObject({ image, info, rectified });
    const swap = (name: string): string =>
      name.replace(
        /left|cam0|infra1|\bl\b/g,
        (word) => ({ left: "right", cam0: "cam1", infra1: "infra2", l: "r" })[word]!,
      );
    expect(right).toMatchObject({ image: swap(image), info: swap(info), rectified });
  });
});

it("prefers rectified to raw, and raw to compressed", () => {
  const eyes = ["left", "right"].flatMap((side) => [
    `i:/${side}/image_raw`,
    `i:/${side}/image_rect`,
    `c:/${side}/image_rect/compressed`,
    `n:/${side}/camera_info`,
  ]);
  const all = topics(...eyes);
  expect(findStereoTopics(all).left).toMatchObject({ image: "/left/image_rect", compressed: false });
  const without = all.filter(({ name }) => !name.endsWith("image_rect"));
  expect(findStereoTopics(without).left).toMatchObject({ image: "/left/image_rect/compressed", compressed: true });
});

it("takes what is given and finds the rest", () => {
  const all = topics(
    "i:/a/left/image_raw",
    "i:/a/right/image_raw",
    "n:/a/left/camera_info",
    "n:/a/right/camera_info",
    "i:/x",
    "n:/xi",
    "t:/tf",
    "t:/tf_static",
  );
  const found = findStereoTopics(all, { right: "/a/right/image_raw" });
  expect([found.left.image, found.tf, found.tfStatic]).toEqual(["/a/left/image_raw", ["/tf"], ["/tf_static"]]);
  expect(findStereoTopics(all, { left: "a/left/image_raw" }).right.image).toBe("/a/right/image_raw");
  const odd = findStereoTopics(all, { left: "/x", right: "/a/right/image_raw", leftInfo: "/xi" });
  expect([odd.left.image, odd.left.info, odd.right.info]).toEqual(["/x", "/xi", "/a/right/camera_info"]);
});

describe("says what is there and how to name it", () => {
  const rig = ["i:/left/image_raw", "i:/right/image_raw", "n:/left/camera_info", "n:/right/camera_info"];
  it.each([
    [
      "no images",
      ["o:/chatter"],
      {},
      "TOPIC_MISSING",
      /no two image topics.*\/chatter \(std_msgs\/msg\/String, 9 messages\)/,
    ],
    ["no topics", [], {}, "TOPIC_MISSING", /Topics: none/],
    [
      "one eye",
      ["i:/left/image_raw", "n:/left/camera_info"],
      {},
      "TOPIC_MISSING",
      /There is \/left\/image_raw but no \/right\/image_raw with messages/,
    ],
    [
      "one eye silent",
      ["i:/left/image_raw", "i:/right/image_raw=0"],
      {},
      "TOPIC_MISSING",
      /no \/right\/image_raw with messages.*0 messages/,
    ],
    [
      "no camera_info",
      ["i:/left/image_raw", "i:/right/image_raw"],
      {},
      "CALIBRATION_MISSING",
      /belongs to \/left\/image_raw/,
    ],
    ["one camera_info", rig.slice(0, 3), {}, "CALIBRATION_MISSING", /belongs to \/right\/image_raw/],
    [
      "one camera_info for both",
      ["i:/s/left", "i:/s/right", "n:/s/camera_info"],
      {},
      "CALIBRATION_MISSING",
      /belongs to \/s\/right/,
    ],
    ["depth is no eye", ["i:/left/depth", "i:/right/depth"], {}, "TOPIC_MISSING", /no two image topics/],
    ["a given topic that is not there", rig, { left: "/nope" }, "TOPIC_MISSING", /no topic \/nope \(--left\)/],
    [
      "a given topic of another type",
      rig,
      { left: "/left/camera_info" },
      "TOPIC_TYPE",
      /--left\) is sensor_msgs\/msg\/CameraInfo, wanted/,
    ],
    [
      "a given topic without a partner",
      [...rig, "i:/single"],
      { left: "/single" },
      "TOPIC_MISSING",
      /\/single has no partner/,
    ],
  ] as const)("%s", (_name, specs, given, code, message) => {
    expect(() => findStereoTopics(topics(...specs), given)).toThrow(
      expect.objectContaining({
        code,
        message: expect.stringMatching(message),
        remedy: expect.stringMatching(/--left TOPIC/),
      }),
    );
  });
});
