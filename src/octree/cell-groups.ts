/** Points brought together by the cell in which they lie; groups stand in the order of their first points. */
export class CellGroups {
  count = 0;
  /** Cell of each group; its points are `start[group]`..`start[group + 1]` of `xyz`. */
  cell: Int32Array = new Int32Array(0);
  start: Int32Array = new Int32Array(1);
  /** After `sort`: three numbers a point. */
  xyz: Float32Array = new Float32Array(0);
  /** Group of each point of the scan; -1 = none. */
  #group = new Int32Array(0);
  /** Group by hash of the cell, open addressing, at most half full; -1 = empty. */
  #table = new Int32Array(0);
  #last = -1;

  /** Makes room for so many points. */
  clear(points: number): void {
    if (this.#group.length < points) {
      this.cell = new Int32Array(points);
      this.start = new Int32Array(points + 1);
      this.xyz = new Float32Array(points * 3);
      this.#group = new Int32Array(points);
      this.#table = new Int32Array(2 ** Math.ceil(Math.log2(points * 2)));
    }
    this.#table.fill(-1);
    this.start.fill(0);
    this.count = 0;
    this.#last = -1;
  }

  /** Says where a point lies; -1 = in no group. To be called for each point of the scan. */
  put(point: number, cell: number): void {
    let group = -1;
    if (cell >= 0) {
      group = this.#last;
      // Neighbours in a scan are often neighbours in space.
      if (group < 0 || this.cell[group] !== cell) group = this.#find(cell);
      this.#last = group;
      this.start[group]! += 1;
    }
    this.#group[point] = group;
  }

  /** Fills `xyz` from the scan's own. */
  sort(from: Float32Array, points: number): void {
    const { start, xyz } = this;
    let end = 0;
    for (let group = 0; group < this.count; group += 1) {
      end += start[group]!;
      start[group] = end;
    }
    start[this.count] = end;
    for (let i = points - 1; i >= 0; i -= 1) {
      const group = this.#group[i]!;
      if (group < 0) continue;
      const at = start[group]! - 1;
      start[group] = at;
      xyz[at * 3] = from[i * 3]!;
      xyz[at * 3 + 1] = from[i * 3 + 1]!;
      xyz[at * 3 + 2] = from[i * 3 + 2]!;
    }
  }

  #find(cell: number): number {
    const table = this.#table;
    const mask = table.length - 1;
    let at = cell & mask;
    for (; table[at]! >= 0; at = (at + 1) & mask) {
      const group = table[at]!;
      if (this.cell[group] === cell) return group;
    }
    const group = this.count;
    this.count = group + 1;
    table[at] = group;
    this.cell[group] = cell;
    return group;
  }
}
