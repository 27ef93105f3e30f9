/** Boxes before suppression: structure of arrays that grows and is used again. */
export class Candidates {
  count = 0;
  /** left, top, right, bottom */
  boxes = new Float32Array(4 * 256);
  scores = new Float32Array(256);
  classes = new Uint16Array(256);
  readonly #isWanted: Uint8Array;
  readonly minScore: number;

  /** `wanted`: indices of the classes that are let in. */
  constructor(minScore: number, classes: number, wanted?: readonly number[]) {
    this.minScore = minScore;
    this.#isWanted = new Uint8Array(classes).fill(wanted === undefined ? 1 : 0);
    for (const index of wanted ?? []) this.#isWanted[index] = 1;
  }

  wants(classIndex: number): boolean {
    return this.#isWanted[classIndex] === 1;
  }

  /** Takes a box if its score is high enough, its class wanted and its corners numbers. */
  add(score: number, classIndex: number, x0: number, y0: number, x1: number, y1: number): void {
    // Written so that NaN is refused.
    if (!(score >= this.minScore && x1 > x0 && y1 > y0) || this.#isWanted[classIndex] !== 1) return;
    if (this.count === this.scores.length) this.#grow();
    const at = this.count++;
    this.scores[at] = score;
    this.classes[at] = classIndex;
    this.boxes[4 * at] = x0;
    this.boxes[4 * at + 1] = y0;
    this.boxes[4 * at + 2] = x1;
    this.boxes[4 * at + 3] = y1;
  }

  #grow(): void {
    const double = <T extends { length: number; set(from: T): void }>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.boxes = double(this.boxes, new Float32Array(2 * this.boxes.length));
    this.scores = double(this.scores, new Float32Array(2 * this.scores.length));
    this.classes = double(this.classes, new Uint16Array(2 * this.classes.length));
  }

  /**
   * Greedy non-maximum suppression within each class: keeps the best box, drops those of its class that overlap it by
   * more than `maxIou`, and so on until `most` are kept. The kept ones come first afterwards, best first; returns how
   * many. Equal scores: the one that was added first. Costs kept * count, without sorting.
   */
  suppress(maxIou: number, most: number): number {
    const { boxes, scores, classes } = this;
    let kept = 0;
    let end = this.count;
    while (kept < Math.min(end, most)) {
      let best = kept;
      for (let i = kept + 1; i < end; i += 1) if (scores[i]! > scores[best]!) best = i;
      // What lies between keeps its order.
      this.#moveTo(kept, best);
      let alive = kept + 1;
      for (let i = kept + 1; i < end; i += 1) {
        if (classes[i] === classes[kept] && iou(boxes, 4 * kept, 4 * i) > maxIou) continue;
        if (alive !== i) this.#copy(i, alive);
        alive += 1;
      }
      end = alive;
      kept += 1;
    }
    this.count = kept;
    return kept;
  }

  /** Takes entry `from` to the place `to` <= from; those between move up by one. */
  #moveTo(to: number, from: number): void {
    const { boxes, scores, classes } = this;
    const [score, kind] = [scores[from]!, classes[from]!];
    const [x0, y0, x1, y1] = [boxes[4 * from]!, boxes[4 * from + 1]!, boxes[4 * from + 2]!, boxes[4 * from + 3]!];
    scores.copyWithin(to + 1, to, from);
    classes.copyWithin(to + 1, to, from);
    boxes.copyWithin(4 * to + 4, 4 * to, 4 * from);
    scores[to] = score;
    classes[to] = kind;
    boxes[4 * to] = x0;
    boxes[4 * to + 1] = y0;
    boxes[4 * to + 2] = x1;
    boxes[4 * to + 3] = y1;
  }

  #copy(from: number, to: number): void {
    this.scores[to] = this.scores[from]!;
    this.classes[to] = this.classes[from]!;
    this.boxes.copyWithin(4 * to, 4 * from, 4 * from + 4);
  }
}

/** Intersection over union of the box that begins at `a` and the one that begins at `b` (of `others`); 0 where both are empty. */
export function iou(boxes: ArrayLike<number>, a: number, b: number, others = boxes): number {
  const both = common(boxes, a, b, others);
  return both > 0 ? both / (area(boxes, a) + area(others, b) - both) : 0;
}

/** Area that the boxes share. */
export function common(boxes: ArrayLike<number>, a: number, b: number, others = boxes): number {
  const width = Math.min(boxes[a + 2]!, others[b + 2]!) - Math.max(boxes[a]!, others[b]!);
  const height = Math.min(boxes[a + 3]!, others[b + 3]!) - Math.max(boxes[a + 1]!, others[b + 1]!);
  return width > 0 && height > 0 ? width * height : 0;
}

export function area(boxes: ArrayLike<number>, at: number): number {
  return (boxes[at + 2]! - boxes[at]!) * (boxes[at + 3]! - boxes[at + 1]!);
}
