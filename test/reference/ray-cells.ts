const { fround } = Math;
type Point = readonly [number, number, number];

/**
 * Keys (root 0, as text) of the cells that a ray leaves on its way to `end`, found by sorting every face that it
 * crosses and asking in which cell it is between one and the next; and the cell of the end. Rounded to float32 where
 * OctoMap does. A longer ray than `maxRangeM` ends there and hits nothing.
 */
export function cellsOfRay(
  origin: Point,
  end: Point,
  maxRangeM: number,
  res: number,
): { free: string[]; hit: string | undefined } {
  const from = vector(origin, (v) => v);
  const to = cut(
    from,
    vector(end, (v) => v),
    maxRangeM,
  );
  const lengthM = fround(norm(minus(to.end, from)));
  const keyOf = (p: Point) => p.map((v) => Math.floor(v / res)).join(" ");
  const hit = to.isCut ? undefined : keyOf(to.end);
  if (keyOf(from) === keyOf(to.end)) return { free: [], hit };
  const way = vector(minus(to.end, from), (v) => v / lengthM);
  const at = (t: number) => from.map((v, a) => v + way[a]! * t) as unknown as Point;
  const faces = [0];
  for (let a = 0; a < 3; a += 1) {
    const [low, high] = [Math.min(from[a]!, to.end[a]!), Math.max(from[a]!, to.end[a]!)];
    for (let k = Math.ceil(low / res); k * res <= high; k += 1) faces.push((k * res - from[a]!) / way[a]!);
  }
  faces.sort((one, other) => one - other);
  const free = faces.slice(1).map((t, i) => keyOf(at((faces[i]! + t) / 2)));
  return { free: free.filter((key) => key !== keyOf(to.end)), hit };
}

function cut(from: Point, end: Point, maxRangeM: number): { end: Point; isCut: boolean } {
  const way = minus(end, from);
  if (norm(way) <= maxRangeM) return { end, isCut: false };
  const unit = vector(way, (v) => v / fround(norm(way)));
  const scaled = vector(unit, (v) => v * fround(maxRangeM));
  return { end: vector(scaled, (v, a) => from[a]! + v), isCut: true };
}

function vector(p: Point, of: (v: number, axis: number) => number): Point {
  return p.map((v, a) => fround(of(v, a))) as unknown as Point;
}

function minus(p: Point, q: Point): Point {
  return vector(p, (v, a) => v - q[a]!);
}

function norm([x, y, z]: Point): number {
  return Math.sqrt(fround(fround(fround(x * x) + fround(y * y)) + fround(z * z)));
}
