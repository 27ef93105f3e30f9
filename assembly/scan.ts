/**
 * Marks what a range scan says of the cells of a grid, as OctoMap's `computeUpdate`: the cells that rays leave (free) and
 * the cells of the points (hit), one bit each. The cells are those of the walk of Amanatides and Woo (1987), found without
 * walking: each cell but the last is left through exactly one face, and the faces of one axis follow each other at equal
 * steps, in which the other two axes advance by a constant. Directions are rounded to float32 and faces placed as in
 * OctoMap (`computeRayKeys`), so that the same cells result.
 *
 * Rays that end in one cell cross the same faces. Their places in a face grow with their slopes, so the flattest and the
 * steepest say what all of them leave, unless they spread over several cells on both of the face's axes.
 */

/**
 * Part of a cell by which crossings of two axes may differ and still be one: OctoMap's walk then takes z before y before
 * x. Far above what a double loses over a ray, far below what a float32 point can say.
 */
const TIE: f64 = 1e-9;
/** Added to a whole number below 2^52, leaves it in the low bits. */
const WHOLE: f64 = 4503599627370496;
/**
 * Part of a cell, for each cell of way, by which directions in float32 may miss a point, with much to spare. An end so close
 * to a face may lie beyond it while the ray is not long enough to come there.
 */
const MISS: f64 = 1e-6;
const ROOT_KEY: f64 = 32768;
const KEY_COUNT: f64 = 65536;

/**
 * The job, as the host writes it at `job`: int32 addresses of points (float32 [count][3], metres; rays that are cut get
 * their new ends), cells, groups, cellOfGroup, starts (int32 [count] each, starts one more), rays (float32 [count][4]),
 * slopes (3 float64 [count][2]), table and free and hit bits; table's size, a power of 2 >= 2 count; at 64 int32 low[3] and
 * size[3] of the grid, home[3]; at 112 float64 origin[3], phase[6] (cells to the first face, against and along each axis),
 * cells a metre.
 */
let job: usize = 0;

@inline function address(n: i32): usize {
  return load<i32>(job + (n << 2)) as usize;
}

/**
 * Bounds of the points of `count`, without what is not a number: float32 low[3], high[3] at `out`. Reads up to three points
 * more, which the host must have set.
 */
export function bounds(points: usize, count: i32, out: usize): void {
  // Four points a round: x y z x, y z x y, z x y z. pmin and pmax keep what they have where they meet NaN.
  let lowA = f32x4.splat(Infinity); let lowB = lowA; let lowC = lowA;
  let highA = f32x4.splat(-Infinity); let highB = highA; let highC = highA;
  const end = points + count * 12;
  for (let at = points; at < end; at += 48) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    lowA = f32x4.pmin(lowA, a); lowB = f32x4.pmin(lowB, b); lowC = f32x4.pmin(lowC, c);
    highA = f32x4.pmax(highA, a); highB = f32x4.pmax(highB, b); highC = f32x4.pmax(highC, c);
  }
  v128.store(out, lowA); v128.store(out, lowB, 16); v128.store(out, lowC, 32);
  v128.store(out, highA, 48); v128.store(out, highB, 64); v128.store(out, highC, 80);
  for (let n: usize = 12; n < 48; n += 4) {
    const low = out + n % 12;
    const high = low + 48;
    store<f32>(low, min(load<f32>(low), load<f32>(out + n)));
    store<f32>(high, max(load<f32>(high), load<f32>(out + n + 48)));
  }
}

@inline function setBit(bits: usize, at: i32): void {
  const word = bits + ((at >> 5) << 2);
  store<i32>(word, load<i32>(word) | (1 << at));
}

/** Square of the length that OctoMap still takes as within `range`, in its own arithmetic. */
function squareOf(range: f64): f32 {
  let square = <f32>(range * range);
  while (sqrt<f64>(square) > range) square = reinterpret<f32>(reinterpret<i32>(square) - 1);
  while (square < Infinity && sqrt<f64>(reinterpret<f32>(reinterpret<i32>(square) + 1)) <= range) square = reinterpret<f32>(reinterpret<i32>(square) + 1);
  return square;
}

/** Marks a scan of `count` points; a ray longer than `range` metres is cut there and hits nothing. */
export function mark(at: usize, count: i32, range: f64): void {
  job = at;
  aim(count, range);
  const groups = group(count);
  const starts = address(4);
  const cellOfGroup = address(3);
  const width = load<i32>(job, 76);
  const depth = width * load<i32>(job, 80);
  for (let g = 0; g < groups; g += 1) {
    const cell = load<i32>(cellOfGroup + (g << 2));
    const z = cell / depth;
    const y = (cell - z * depth) / width;
    const from = load<i32>(starts + (g << 2));
    markRays(from, load<i32>(starts + (g << 2), 4), cell - z * depth - y * width, y, z, Infinity);
  }
}

/** Finds in which cell each ray ends, -1 where nothing is left to mark. */
function aim(count: i32, range: f64): void {
  const points = address(0);
  const cells = address(1);
  const rays = address(5);
  const hit = address(9);
  const perM = load<f64>(job, 184);
  const ox = <f32>load<f64>(job, 112);
  const oy = <f32>load<f64>(job, 120);
  const oz = <f32>load<f64>(job, 128);
  const lowX = <f64>load<i32>(job, 64);
  const lowY = <f64>load<i32>(job, 68);
  const lowZ = <f64>load<i32>(job, 72);
  const sizeX = load<i32>(job, 76);
  const sizeY = load<i32>(job, 80);
  const sizeZ = load<i32>(job, 84);
  const home = load<i32>(job, 88) + (load<i32>(job, 92) + load<i32>(job, 96) * sizeY) * sizeX;
  const farthest = squareOf(range);
  const range32 = <f32>range;
  for (let i = 0; i < count; i += 1) {
    const point = points + i * 12;
    let ex = load<f32>(point);
    let ey = load<f32>(point, 4);
    let ez = load<f32>(point, 8);
    let dx = ex - ox;
    let dy = ey - oy;
    let dz = ez - oz;
    const square = dx * dx + dy * dy + dz * dz;
    store<i32>(cells + (i << 2), -1);
    if (!(square < Infinity)) continue;
    const isCut = square > farthest;
    if (isCut) {
      const length = <f32>sqrt<f64>(square);
      ex = ox + (dx / length) * range32;
      ey = oy + (dy / length) * range32;
      ez = oz + (dz / length) * range32;
      store<f32>(point, ex);
      store<f32>(point, ey, 4);
      store<f32>(point, ez, 8);
    }
    const kx = floor<f64>(perM * ex) + ROOT_KEY;
    const ky = floor<f64>(perM * ey) + ROOT_KEY;
    const kz = floor<f64>(perM * ez) + ROOT_KEY;
    if (!(kx >= 0 && kx < KEY_COUNT && ky >= 0 && ky < KEY_COUNT && kz >= 0 && kz < KEY_COUNT)) continue;
    const x = <i32>(kx - lowX);
    const y = <i32>(ky - lowY);
    const z = <i32>(kz - lowZ);
    if (<u32>x < <u32>sizeX && <u32>y < <u32>sizeY && <u32>z < <u32>sizeZ) {
      const cell = x + (y + z * sizeY) * sizeX;
      if (!isCut) setBit(hit, cell);
      if (cell == home) continue;
      const miss = MISS * (1 + perM * (abs<f32>(dx) + abs<f32>(dy) + abs<f32>(dz)));
      if (isInside(perM * ex, miss) && isInside(perM * ey, miss) && isInside(perM * ez, miss)) {
        store<i32>(cells + (i << 2), cell);
        continue;
      }
    }
    dx = ex - ox;
    dy = ey - oy;
    dz = ez - oz;
    v128.store(rays, f32x4(dx, dy, dz, 0));
    markRays(0, 1, x, y, z, reachOf(dx, dy, dz));
  }
}

/** Whether a place is farther than `miss` from the faces of its cell. */
@inline function isInside(place: f64, miss: f64): bool {
  const part = place - floor<f64>(place);
  return part > miss && part < 1 - miss;
}

/** Length of a ray or, where it leaves the grid, up to the middle of the last layer of cells inside: nothing is lost beyond. */
function reachOf(dx: f32, dy: f32, dz: f32): f64 {
  const length = <f32>sqrt<f64>(dx * dx + dy * dy + dz * dz);
  let reach = <f64>length;
  for (let a = 0; a < 3; a += 1) {
    const d = a == 0 ? dx : a == 1 ? dy : dz;
    const perM = <f64>abs<f32>(d / length) * load<f64>(job, 184);
    const at = load<i32>(job + (a << 2), 88);
    const cells = d > 0 ? load<i32>(job + (a << 2), 76) - 1 - at : at;
    if (perM > 0) reach = min(reach, (phaseOf(a, d > 0) + <f64>cells - 0.5) / perM);
  }
  return reach;
}

@inline function phaseOf(axis: i32, isAlong: bool): f64 {
  return load<f64>(job + ((axis + (isAlong ? 3 : 0)) << 3), 136);
}

/** Sorts the rays by the cells in which they end (a counting sort over a hash); returns how many cells there are. */
function group(count: i32): i32 {
  const cells = address(1);
  const groups = address(2);
  const cellOfGroup = address(3);
  const starts = address(4);
  const table = address(7);
  const mask = load<i32>(job, 40) - 1;
  memory.fill(table, 255, (mask + 1) << 2);
  memory.fill(starts, 0, (count + 1) << 2);
  let known = 0;
  let last = -1;
  let g = -1;
  for (let i = 0; i < count; i += 1) {
    const cell = load<i32>(cells + (i << 2));
    // Neighbours in a scan are often neighbours in space.
    if (cell != last) {
      last = cell;
      g = -1;
      if (cell >= 0) {
        let at = cell & mask;
        for (;;) {
          g = load<i32>(table + (at << 2));
          if (g < 0 || load<i32>(cellOfGroup + (g << 2)) == cell) break;
          at = (at + 1) & mask;
        }
        if (g < 0) {
          g = known;
          known += 1;
          store<i32>(table + (at << 2), g);
          store<i32>(cellOfGroup + (g << 2), cell);
        }
      }
    }
    store<i32>(groups + (i << 2), g);
    if (g >= 0) store<i32>(starts + (g << 2), load<i32>(starts + (g << 2)) + 1);
  }
  let end = 0;
  for (g = 0; g <= known; g += 1) {
    end += load<i32>(starts + (g << 2));
    store<i32>(starts + (g << 2), end);
  }
  scatter(count);
  return known;
}

function scatter(count: i32): void {
  const points = address(0);
  const groups = address(2);
  const starts = address(4);
  const rays = address(5);
  const ox = <f32>load<f64>(job, 112);
  const oy = <f32>load<f64>(job, 120);
  const oz = <f32>load<f64>(job, 128);
  for (let i = count - 1; i >= 0; i -= 1) {
    const g = load<i32>(groups + (i << 2));
    if (g < 0) continue;
    const at = load<i32>(starts + (g << 2)) - 1;
    store<i32>(starts + (g << 2), at);
    const point = points + i * 12;
    v128.store(rays + (at << 4), f32x4(load<f32>(point) - ox, load<f32>(point, 4) - oy, load<f32>(point, 8) - oz, 0));
  }
}

/** Marks what the rays `from`..`to` leave, which all end in the cell (x, y, z) of the grid, or go `reach` metres at most. */
function markRays(from: i32, to: i32, x: i32, y: i32, z: i32, reach: f64): void {
  const rays = address(5) + (from << 4);
  const count = to - from;
  const slopes = address(6);
  const room = (load<i32>(job, 44) as usize) << 4;
  const width = load<i32>(job, 76);
  const depth = width * load<i32>(job, 80);
  const homeX = load<i32>(job, 88);
  const homeY = load<i32>(job, 92);
  const homeZ = load<i32>(job, 96);
  const isX = x != homeX;
  const isY = y != homeY;
  const isZ = z != homeZ;
  // An axis on which the rays stay in the layer of cells where they began is left out.
  const maskYZ = i64x2(isY ? -1 : 0, isZ ? -1 : 0);
  const maskXZ = i64x2(isX ? -1 : 0, isZ ? -1 : 0);
  const maskXY = i64x2(isX ? -1 : 0, isY ? -1 : 0);
  let lowX = f64x2.splat(Infinity); let lowY = lowX; let lowZ = lowX;
  let highX = f64x2.splat(0); let highY = highX; let highZ = highX;
  let nx = abs(x - homeX);
  let ny = abs(y - homeY);
  let nz = abs(z - homeZ);
  const px = phaseOf(0, x > homeX);
  const py = phaseOf(1, y > homeY);
  const pz = phaseOf(2, z > homeZ);
  for (let n = 0; n < count; n += 1) {
    const d = f32x4.abs(v128.load(rays + (n << 4)));
    const squares = f32x4.mul(d, d);
    const square = f32x4.extract_lane(squares, 0) + f32x4.extract_lane(squares, 1) + f32x4.extract_lane(squares, 2);
    const way = f32x4.div(d, f32x4.splat(<f32>sqrt<f64>(square)));
    const xy = f64x2.promote_low_f32x4(way);
    const zz = f64x2.promote_low_f32x4(i32x4.shuffle(way, way, 2, 2, 2, 2));
    const perXY = f64x2.div(f64x2.splat(1), xy);
    const perZ = f64x2.div(f64x2.splat(1), zz);
    const atX = v128.and(f64x2.mul(i64x2.shuffle(xy, zz, 1, 2), i64x2.shuffle(perXY, perXY, 0, 0)), maskYZ);
    const atY = v128.and(f64x2.mul(i64x2.shuffle(xy, zz, 0, 2), i64x2.shuffle(perXY, perXY, 1, 1)), maskXZ);
    const atZ = v128.and(f64x2.mul(xy, perZ), maskXY);
    const slope = slopes + (n << 4);
    v128.store(slope, atX);
    v128.store(slope + room, atY);
    v128.store(slope + 2 * room, atZ);
    lowX = f64x2.pmin(lowX, atX); highX = f64x2.pmax(highX, atX);
    lowY = f64x2.pmin(lowY, atY); highY = f64x2.pmax(highY, atY);
    lowZ = f64x2.pmin(lowZ, atZ); highZ = f64x2.pmax(highZ, atZ);
    if (reach < Infinity) {
      const perM = load<f64>(job, 184);
      nx = min(nx, faces(reach, f64x2.extract_lane(xy, 0) * perM, px));
      ny = min(ny, faces(reach, f64x2.extract_lane(xy, 1) * perM, py));
      nz = min(nz, faces(reach, f64x2.extract_lane(zz, 0) * perM, pz));
    }
  }
  const home = homeX + homeY * width + homeZ * depth;
  const stepX = x > homeX ? 1 : -1;
  const stepY = y > homeY ? width : -width;
  const stepZ = z > homeZ ? depth : -depth;
  const x0 = isX ? 1 - px : 0.5;
  const y0 = isY ? 1 - py : 0.5;
  const z0 = isZ ? 1 - pz : 0.5;
  leave(count, slopes, nx, home, px, stepX, f64x2(y0 + TIE, z0 + TIE), stepY, stepZ, lowX, highX);
  leave(count, slopes + room, ny, home, py, stepY, f64x2(x0 - TIE, z0 + TIE), stepX, stepZ, lowY, highY);
  leave(count, slopes + 2 * room, nz, home, pz, stepZ, f64x2(x0 - TIE, y0 - TIE), stepX, stepY, lowZ, highZ);
}

/** Faces of one axis that a ray meets within `reach` metres. */
@inline function faces(reach: f64, perM: f64, phase: f64): i32 {
  return max(0, <i32>floor<f64>(reach * perM - phase) + 1);
}

/** Whole cells of a place in the plane of a face, in the low halves of the two lanes. */
@inline function wholeOf(place: v128): v128 {
  return f64x2.add(f64x2.trunc(place), f64x2.splat(WHOLE));
}

/**
 * Marks the cells left through the `faces` faces of one axis, a cell and `step` bits apart, the first `phase` cells away,
 * where the other axes B and C are at place `start` + their slopes (`low`..`high` among the rays) by the way.
 */
function leave(
  count: i32, slopes: usize, faces: i32, home: i32, phase: f64, step: i32, start: v128, stepB: i32, stepC: i32, low: v128, high: v128,
): void {
  const free = address(8);
  let base = home;
  for (let i = 0; i < faces; i += 1, base += step) {
    const way = f64x2.splat(phase + <f64>i);
    const near = wholeOf(f64x2.add(start, f64x2.mul(way, low)));
    const far = wholeOf(f64x2.add(start, f64x2.mul(way, high)));
    const b = i32x4.extract_lane(near, 0);
    const c = i32x4.extract_lane(near, 2);
    const cellsB = i32x4.extract_lane(far, 0) - b;
    const cellsC = i32x4.extract_lane(far, 2) - c;
    const first = base + b * stepB + c * stepC;
    if (cellsB + cellsC <= 1) {
      setBit(free, first);
      if (cellsB + cellsC == 1) setBit(free, first + (cellsB == 1 ? stepB : stepC));
      continue;
    }
    if (areMarked(free, first, cellsB, stepB, cellsC, stepC)) continue;
    for (let n = 0; n < count; n += 1) {
      const place = wholeOf(f64x2.add(start, f64x2.mul(way, v128.load(slopes + (n << 4)))));
      setBit(free, base + i32x4.extract_lane(place, 0) * stepB + i32x4.extract_lane(place, 2) * stepC);
    }
  }
}

/** Whether all cells that the rays could leave have been marked before: then none of them says anything new. */
@inline function areMarked(bits: usize, first: i32, cellsB: i32, stepB: i32, cellsC: i32, stepC: i32): bool {
  for (let c = 0; c <= cellsC; c += 1) {
    for (let b = 0; b <= cellsB; b += 1) {
      const at = first + b * stepB + c * stepC;
      if (((load<i32>(bits + ((at >> 5) << 2)) >> at) & 1) == 0) return false;
    }
  }
  return true;
}
