import { area, iou } from "./candidates.ts";

/** Boxes of one image: left, top, right, bottom, pixels; with `scores` where they are detections. */
export interface ImageBoxes {
  readonly boxes: ArrayLike<number>;
  readonly classes: ArrayLike<number>;
  readonly scores?: ArrayLike<number>;
}

export interface ScoredImage {
  readonly truth: ImageBoxes;
  readonly found: ImageBoxes & { readonly scores: ArrayLike<number> };
}

/** Each 0..1; undefined where there is nothing of the kind to find. */
export interface AveragePrecision {
  readonly ap: number | undefined;
  readonly ap50: number | undefined;
  readonly ap75: number | undefined;
  readonly ap_small: number | undefined;
  readonly ap_medium: number | undefined;
  readonly ap_large: number | undefined;
  readonly ar100: number | undefined;
}

const IOUS = Array.from({ length: 10 }, (_, i) => 0.5 + 0.05 * i);
const RECALLS = Array.from({ length: 101 }, (_, i) => i / 100);
const MOST = 100;
/** Areas in pixels, both ends inclusive. */
const AREAS = { all: [0, 1e10], small: [0, 32 ** 2], medium: [32 ** 2, 96 ** 2], large: [96 ** 2, 1e10] } as const;

/**
 * Average precision and recall as COCO defines them (cocodataset.org/#detection-eval; pycocotools' COCOeval): over ten IoU
 * thresholds, 101 recalls and the classes that the truth has; at most 100 detections of a class in an image; objects outside
 * an area range neither count nor harm. No object is a crowd.
 */
export function averagePrecision(images: readonly ScoredImage[]): AveragePrecision {
  const classes = [...new Set(images.flatMap(({ truth }) => Array.from(truth.classes)))].sort((a, b) => a - b);
  const over = (range: readonly [number, number]) => classes.flatMap((each) => curvesOf(images, each, range) ?? []);
  const all = over(AREAS.all);
  const apOf = (curves: readonly Curve[]) => mean(curves.flatMap(({ precisions }) => precisions));
  return {
    ap: apOf(all),
    ap50: mean(all.map(({ precisions }) => precisions[0]!)),
    ap75: mean(all.map(({ precisions }) => precisions[5]!)),
    ap_small: apOf(over(AREAS.small)),
    ap_medium: apOf(over(AREAS.medium)),
    ap_large: apOf(over(AREAS.large)),
    ar100: mean(all.flatMap(({ recalls }) => recalls)),
  };
}

interface Curve {
  /** Average precision, and greatest recall, at each IoU threshold. */
  readonly precisions: readonly number[];
  readonly recalls: readonly number[];
}

/** A detection at one threshold: whether it is right; what is ignored is left out. */
interface Hit {
  readonly score: number;
  readonly right: boolean;
}

/** Undefined where the truth has nothing of the class in that range. */
function curvesOf(images: readonly ScoredImage[], kind: number, range: readonly [number, number]): Curve | undefined {
  const hits = IOUS.map((): Hit[] => []);
  let wanted = 0;
  for (const { truth, found } of images) {
    const isIn = (boxes: ArrayLike<number>, i: number) => {
      const size = area(boxes, 4 * i);
      return size >= range[0] && size <= range[1];
    };
    const objects = indicesOf(truth.classes, kind);
    // What counts is matched before what does not.
    objects.sort((a, b) => Number(isIn(truth.boxes, b)) - Number(isIn(truth.boxes, a)));
    wanted += objects.filter((i) => isIn(truth.boxes, i)).length;
    const detections = indicesOf(found.classes, kind)
      .sort((a, b) => found.scores[b]! - found.scores[a]!)
      .slice(0, MOST);
    for (const [t, least] of IOUS.entries()) {
      const taken = new Set<number>();
      for (const i of detections) {
        const match = bestOf(truth.boxes, objects, taken, isIn, found.boxes, i, least);
        if (match !== undefined) taken.add(match);
        const counts = match === undefined ? isIn(found.boxes, i) : isIn(truth.boxes, match);
        if (counts) hits[t]!.push({ score: found.scores[i]!, right: match !== undefined });
      }
    }
  }
  if (wanted === 0) return undefined;
  const curves = hits.map((each) => curve(each, wanted));
  return { precisions: curves.map(({ precision }) => precision), recalls: curves.map(({ recall }) => recall) };
}

function indicesOf(classes: ArrayLike<number>, kind: number): number[] {
  return Array.from(classes, (each, i) => (each === kind ? i : -1)).filter((i) => i !== -1);
}

/** The free object that overlaps most; one that counts goes before any that does not. */
function bestOf(
  truth: ArrayLike<number>,
  objects: readonly number[],
  taken: ReadonlySet<number>,
  counts: (boxes: ArrayLike<number>, i: number) => boolean,
  found: ArrayLike<number>,
  i: number,
  least: number,
): number | undefined {
  let best = Math.min(least, 1 - 1e-10);
  let match: number | undefined;
  for (const object of objects) {
    if (taken.has(object)) continue;
    if (match !== undefined && counts(truth, match) && !counts(truth, object)) break;
    const overlap = iou(truth, 4 * object, 4 * i, found);
    if (overlap < best) continue;
    best = overlap;
    match = object;
  }
  return match;
}

function curve(hits: Hit[], wanted: number): { precision: number; recall: number } {
  hits.sort((a, b) => b.score - a.score);
  const recalls: number[] = [];
  const precisions: number[] = [];
  let right = 0;
  for (const [i, hit] of hits.entries()) {
    if (hit.right) right += 1;
    recalls.push(right / wanted);
    precisions.push(right / (i + 1));
  }
  for (let i = precisions.length - 2; i >= 0; i -= 1) precisions[i] = Math.max(precisions[i]!, precisions[i + 1]!);
  let at = 0;
  let sum = 0;
  for (const recall of RECALLS) {
    while (at < recalls.length && recalls[at]! < recall) at += 1;
    sum += precisions[at] ?? 0;
  }
  return { precision: sum / RECALLS.length, recall: recalls.at(-1) ?? 0 };
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
