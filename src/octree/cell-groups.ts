/** Points by the cell in which they lie: a hash of cells, and a chain of points for each. */
export class CellGroups {
  count = 0;
  /** Cell, number of points and newest point of each group. */
  cell: Int32Array = new Int32Array(0);
  size: Int32Array = new Int32Array(0);
  head: Int32Array = new Int32Array(0);
  /** The point before, of the same cell; -1 = none. */
  next: Int32Array = new Int32Array(0);
  /** Group by hash, open addressing, at most half full; -1 = empty. */
  #table = new Int32Array(0);
  #mask = 0;
  #last = -1;

  /** Makes room for so many points. */
  clear(points: number): void {
    if (this.next.length < points) {
      this.cell = new Int32Array(points);
      this.size = new Int32Array(points);
      this.head = new Int32Array(points);
      this.next = new Int32Array(points);
      this.#table = new Int32Array(2 ** Math.ceil(Math.log2(points * 2)));
    }
    this.#mask = this.#table.length - 1;
    this.#table.fill(-1);
    this.count = 0;
    this.#last = -1;
  }

  add(cell: number, point: number): void {
    let group = this.#last;
    if (group < 0 || this.cell[group] !== cell) group = this.#find(cell);
    this.#last = group;
    this.next[point] = this.head[group]!;
    this.head[group] = point;
    this.size[group]! += 1;
  }

  #find(cell: number): number {
    const table = this.#table;
    let at = (Math.imul(cell, 0x9e3779b1) >>> 12) & this.#mask;
    for (; table[at]! >= 0; at = (at + 1) & this.#mask) {
      const group = table[at]!;
      if (this.cell[group] === cell) return group;
    }
    const group = this.count;
    this.count = group + 1;
    table[at] = group;
    this.cell[group] = cell;
    this.size[group] = 0;
    this.head[group] = -1;
    return group;
  }
}
