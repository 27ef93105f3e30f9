import { GRID_OCCUPIED, type Projection } from "./project.ts";

/** Of a cell beyond the reach: larger than any square. */
const NONE = 0x3fffffff;

/**
 * Exact Euclidean distance of every cell of a 2D grid to the nearest occupied one, centre to centre, up to a reach; brought up
 * to date by what changed.
 *
 * Two passes: down each column the distance along y, then along each row the lower envelope of the parabolas over those
 * (Felzenszwalb, Huttenlocher 2012, Theory of Computing 8; in whole numbers as Meijster, Roerdink, Hesselink 2000). A changed
 * cell changes the first pass in its column only, and the second only in rows where the first has changed, up to the reach to
 * either side. The rest is left, so that the outcome is that of a fresh start, cell by cell.
 */
export class DistanceField {
  readonly reachM: number;
  width = 0;
  height = 0;
  resolutionM = 1;
  originXM = 0;
  originYM = 0;
  /** Square of the distance in cells, row by row as the grid; 2^30 - 1 where nothing is within reach. */
  squared: Int32Array = new Int32Array(0);
  /** Rows that the last `update` worked out anew. */
  rowsDone = 0;
  /** The grid as it was last, and the same four cells a number. */
  #cells = new Int8Array(0);
  #fours = new Int32Array(0);
  /** Distance along y in cells, `#reach` + 1 at most. */
  #alongY = new Int32Array(0);
  /** Rows of each column in which an obstacle has come or gone, first and last. */
  #top = new Int32Array(0);
  #bottom = new Int32Array(0);
  /** Columns of each row in which the first pass has changed, first and last. */
  #first = new Int32Array(0);
  #last = new Int32Array(0);
  #down = new Int32Array(0);
  /** Lower envelope: where its parabolas stand, and from which cell on each is the lowest. */
  #stands = new Int32Array(0);
  #from = new Int32Array(0);
  #reach = 0;

  /** `reachM`: what is farther counts as this far, which bounds what a change can reach. */
  constructor(reachM: number) {
    this.reachM = reachM;
  }

  /** Takes over a grid. Another place, size or resolution starts anew: a rolling window moves by whole bricks, seldom. */
  update(grid: Projection): void {
    const size = grid.width * grid.height;
    if (!this.#fits(grid)) this.#begin(grid, size);
    const { width, height } = this;
    this.#top.fill(height, 0, width);
    this.#bottom.fill(-1, 0, width);
    this.#first.fill(width, 0, height);
    this.#last.fill(-1, 0, height);
    this.#compare(grid.data, size);
    for (let x = 0; x < width; x += 1) if (this.#bottom[x]! >= 0) this.#column(x);
    this.rowsDone = 0;
    for (let y = 0; y < height; y += 1) {
      if (this.#last[y]! < 0) continue;
      this.#row(y);
      this.rowsDone += 1;
    }
  }

  /** Metres to the nearest obstacle from the cell around a point (metres, frame of the grid); `reachM` at most. */
  distanceM(xM: number, yM: number): number {
    const x = Math.floor((xM - this.originXM) / this.resolutionM);
    const y = Math.floor((yM - this.originYM) / this.resolutionM);
    if (!(x >= 0 && y >= 0 && x < this.width && y < this.height)) return this.reachM;
    return Math.min(Math.sqrt(this.squared[y * this.width + x]!) * this.resolutionM, this.reachM);
  }

  /** Takes over the grid's cells and notes where obstacles have come or gone. Most cells are what they were. */
  #compare(data: Int8Array, size: number): void {
    const isAligned = data.byteOffset % 4 === 0;
    const fours = isAligned ? new Int32Array(data.buffer, data.byteOffset, size >> 2) : undefined;
    for (let at = 0; at < size; at += 4) {
      if (fours !== undefined && at + 4 <= size && fours[at >> 2] === this.#fours[at >> 2]) continue;
      for (let cell = at; cell < Math.min(at + 4, size); cell += 1) {
        const before = this.#cells[cell]!;
        const now = data[cell]!;
        this.#cells[cell] = now;
        if ((before === GRID_OCCUPIED) === (now === GRID_OCCUPIED)) continue;
        const y = Math.floor(cell / this.width);
        const x = cell - y * this.width;
        this.#top[x] = Math.min(this.#top[x]!, y);
        this.#bottom[x] = y;
      }
    }
  }

  #fits(grid: Projection): boolean {
    const { width, height, resolutionM, originXM, originYM } = grid;
    const isSameSize = width === this.width && height === this.height && resolutionM === this.resolutionM;
    return isSameSize && originXM === this.originXM && originYM === this.originYM;
  }

  #begin(grid: Projection, size: number): void {
    const { width, height, resolutionM, originXM, originYM } = grid;
    Object.assign(this, { width, height, resolutionM, originXM, originYM });
    this.#reach = Math.ceil(this.reachM / resolutionM);
    if (this.squared.length < size) {
      this.squared = new Int32Array(size);
      this.#fours = new Int32Array((size + 3) >> 2);
      this.#cells = new Int8Array(this.#fours.buffer);
      this.#alongY = new Int32Array(size);
    }
    if (this.#top.length < width) {
      this.#top = new Int32Array(width);
      this.#bottom = new Int32Array(width);
      this.#stands = new Int32Array(width);
      this.#from = new Int32Array(width);
    }
    if (this.#down.length < height) {
      this.#first = new Int32Array(height);
      this.#last = new Int32Array(height);
      this.#down = new Int32Array(height);
    }
    this.#cells.fill(0, 0, size);
    this.#alongY.fill(this.#reach + 1, 0, size);
    this.squared.fill(NONE, 0, size);
  }

  /** First pass of one column, down and up, up to the reach around what has changed; tells the rows in which it changes. */
  #column(x: number): void {
    const { width } = this;
    const [alongY, cells, down, reach] = [this.#alongY, this.#cells, this.#down, this.#reach];
    const none = reach + 1;
    const low = Math.max(0, this.#top[x]! - reach);
    const high = Math.min(this.height - 1, this.#bottom[x]! + reach);
    // What stands as far again counts at the edge.
    let distance = none;
    for (let y = Math.max(0, low - reach), at = y * width + x; y <= high; y += 1, at += width) {
      distance = cells[at] === GRID_OCCUPIED ? 0 : Math.min(distance + 1, none);
      down[y] = distance;
    }
    distance = none;
    const from = Math.min(this.height - 1, high + reach);
    for (let y = from, at = y * width + x; y >= low; y -= 1, at -= width) {
      distance = cells[at] === GRID_OCCUPIED ? 0 : Math.min(distance + 1, none);
      if (y > high) continue;
      const nearest = Math.min(distance, down[y]!);
      if (alongY[at] === nearest) continue;
      alongY[at] = nearest;
      this.#first[y] = Math.min(this.#first[y]!, x);
      this.#last[y] = Math.max(this.#last[y]!, x);
    }
  }

  /** Second pass of one row, where its first has changed and up to the reach around; what stands twice as far counts there. */
  #row(y: number): void {
    const [alongY, stands, from] = [this.#alongY, this.#stands, this.#from];
    const reach = this.#reach;
    const row = y * this.width;
    const [first, last] = [this.#first[y]!, this.#last[y]!];
    const begin = Math.max(0, first - 2 * reach);
    const end = Math.min(this.width - 1, last + 2 * reach);
    let top = -1;
    for (let x = begin; x <= end; x += 1) {
      const height = alongY[row + x]!;
      if (height > reach) continue;
      while (top >= 0 && this.#over(row, from[top]!, stands[top]!) > this.#over(row, from[top]!, x)) top -= 1;
      let start = begin;
      if (top >= 0) {
        const other = stands[top]!;
        const otherHeight = alongY[row + other]!;
        const rise = x * x - other * other + height * height - otherHeight * otherHeight;
        start = 1 + Math.floor(rise / (2 * (x - other)));
        if (start > end) continue;
      }
      top += 1;
      stands[top] = x;
      from[top] = start;
    }
    const [low, high] = [Math.max(0, first - reach), Math.min(this.width - 1, last + reach)];
    for (let x = end; x >= low; x -= 1) {
      while (top > 0 && from[top]! > x) top -= 1;
      if (x > high) continue;
      const squared = top < 0 ? NONE : this.#over(row, x, stands[top]!);
      this.squared[row + x] = squared > reach * reach ? NONE : squared;
    }
  }

  /** Height at x of the parabola that stands at `at`. */
  #over(row: number, x: number, at: number): number {
    const height = this.#alongY[row + at]!;
    return (x - at) * (x - at) + height * height;
  }
}
