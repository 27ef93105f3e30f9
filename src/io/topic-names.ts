/**
 * How the left and the right eye are told apart in topic names, the usual first: image_pipeline and ZED (left, right),
 * EuRoC and Kalibr (cam0, cam1), RealSense (infra1, infra2; fisheye1, fisheye2), KITTI (image_00, image_01).
 */
const sides: readonly (readonly [left: string, right: string])[] = [
  ["left", "right"],
  ["Left", "Right"],
  ["cam0", "cam1"],
  ["camera0", "camera1"],
  ["cam_0", "cam_1"],
  ["camera_0", "camera_1"],
  ["infra1", "infra2"],
  ["infrared1", "infrared2"],
  ["ir1", "ir2"],
  ["image_00", "image_01"],
  ["image_0", "image_1"],
  ["fisheye1", "fisheye2"],
  ["cam1", "cam2"],
  ["camera1", "camera2"],
  ["l", "r"],
];

/** Names that the right partner of a left topic may have, the likeliest first. */
export function rightOf(left: string): string[] {
  return sides.flatMap(([from, to]) => swapped(left, from, to) ?? []);
}

/** Names that the left partner of a right topic may have. */
export function leftOf(right: string): string[] {
  return sides.flatMap(([to, from]) => swapped(right, from, to) ?? []);
}

/** Replaces the word wherever it stands; words end where letters (for numbered ones: digits) do. */
function swapped(name: string, from: string, to: string): string | undefined {
  const isLetter = from.length === 1;
  const pattern = new RegExp(isLetter ? `(?<![A-Za-z])${from}(?![A-Za-z])` : `${from}(?!\\d)`, "g");
  return pattern.test(name) ? name.replace(pattern, to) : undefined;
}

/**
 * The CameraInfo topics of a pair of image topics: `camera_info` beside the image (image_transport's suffix left off),
 * else another one in that place, else the pair of info topics whose names agree longest with the images'.
 */
export function infoTopicsFor(
  left: string,
  right: string,
  infos: readonly string[],
): { readonly left: string | undefined; readonly right: string | undefined } {
  const beside = { left: infoBeside(left, infos), right: infoBeside(right, infos) };
  if (beside.left !== undefined && beside.right !== undefined && beside.left !== beside.right) return beside;
  const pairs = infos.flatMap((info) => {
    const partner = rightOf(info).find((name) => infos.includes(name));
    return partner === undefined ? [] : { left: info, right: partner };
  });
  pairs.sort(
    (a, b) => agreement(b.left, left) + agreement(b.right, right) - agreement(a.left, left) - agreement(a.right, right),
  );
  const [best] = pairs;
  // Two cameras of one robot agree in their namespace at least; an info of another camera is worse than none.
  if (best !== undefined && agreement(best.left, left) > 1) return best;
  return beside.left === beside.right ? { left: beside.left, right: undefined } : beside;
}

function infoBeside(image: string, infos: readonly string[]): string | undefined {
  const base = image.replace(/\/(compressed|theora|ffmpeg|zstd)$/, "");
  const folder = base.slice(0, base.lastIndexOf("/") + 1);
  const isRectified = /rect/i.test(base);
  const wanted = [
    ...(isRectified ? [`${folder}camera_info_rect`] : []),
    `${folder}camera_info`,
    `${base}/camera_info`,
    `${base}_info`,
  ];
  return wanted.find((name) => infos.includes(name)) ?? onlyOne(infos.filter((name) => isIn(folder, name)));
}

function isIn(folder: string, name: string): boolean {
  return name.startsWith(folder) && !name.slice(folder.length).includes("/") && folder.length > 1;
}

function onlyOne(names: readonly string[]): string | undefined {
  return names.length === 1 ? names[0] : undefined;
}

/** Length of the common beginning. */
function agreement(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}
