/**
 * Octree decoding in WebAssembly SIMD: occupancy of a list of voxels of one level from the network's rows (one row a
 * cell of 4x4 pixels: m1, m2, s1, s2, w and 8 context numbers, 16 floats apart). The same arithmetic as
 * training/voxeltrain/net.py `VoxelHead`, with a polynomial exponential.
 */

const ROW: usize = 64; // bytes of a row
const INPUTS: i32 = 23; // 10 statistics, 8 of context, 5 of place
const HIDDEN: i32 = 32;

/**
 * Per z index of a level, 21 numbers: int32 address of the weights and number of slices in z (near leaves have weights and
 * slices of their own); float32 place features log z, log(fx size / z), log span, log disparity (with their factors),
 * 1 / sqrt(span) * 0.3; then for each slice: 4x4-pixel cells per metre of x, of y, disparity of the near and of the far
 * face; after the last slice the two scales at the centre.
 */
const FIRST_SLICE: i32 = 7;
const SLICE: i32 = 4;
const ENTRY: usize = ((FIRST_SLICE + 3 * SLICE + 2) * 4) as usize;

@inline function splat(x: f32): v128 {
  return f32x4.splat(x);
}

/**
 * 2^y for |y| < 126: degree 5 polynomial on [-0.5, 0.5], relative error below 3e-7. Adding 1.5 * 2^23 rounds to a whole
 * number and leaves it in the low bits, ready to become the exponent.
 */
@inline function exp2(y: v128): v128 {
  const shifted = f32x4.add(y, splat(12582912));
  const f = f32x4.sub(y, f32x4.sub(shifted, splat(12582912)));
  let p = f32x4.add(f32x4.mul(splat(1.3333558e-3), f), splat(9.6181291e-3));
  p = f32x4.add(f32x4.mul(p, f), splat(5.5504109e-2));
  p = f32x4.add(f32x4.mul(p, f), splat(2.4022651e-1));
  p = f32x4.add(f32x4.mul(p, f), splat(6.9314718e-1));
  p = f32x4.add(f32x4.mul(p, f), splat(1));
  return f32x4.mul(p, i32x4.shl(i32x4.add(shifted, i32x4.splat(127)), 23));
}

// pmin and pmax are one instruction each where min and max, which order NaN and signed zeros, are seven (x86).

/** Whole numbers in 0..2^23 - 1, held as floats, as integers. */
@inline function wholeOf(x: v128): v128 {
  return v128.and(f32x4.add(x, splat(8388608)), i32x4.splat(0x7fffff));
}

/** e^-x, x limited so that products of two stay finite. */
@inline function decay(x: v128): v128 {
  return exp2(f32x4.pmax(f32x4.pmin(f32x4.mul(x, splat(-1.44269504)), splat(60)), splat(-60)));
}

/** w sigmoid(x) + v sigmoid(y), with one division. */
@inline function mixture(w: v128, x: v128, v: v128, y: v128): v128 {
  const a = f32x4.add(splat(1), decay(x));
  const b = f32x4.add(splat(1), decay(y));
  return f32x4.div(f32x4.add(f32x4.mul(w, b), f32x4.mul(v, a)), f32x4.mul(a, b));
}

@inline function sum(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

@inline function largest(v: v128): f32 {
  const pairs = f32x4.pmax(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.pmax(pairs, i32x4.shuffle(pairs, pairs, 1, 0, 3, 2)), 0);
}

/** The whole number in 0..last nearest to x. */
@inline function within(x: f32, last: i32): i32 {
  const whole = <i32>x;
  return whole < 0 ? 0 : whole > last ? last : whole;
}

/** Layer of HIDDEN outputs: weights input by input, then the biases; ReLU. */
@inline function layer(weights: usize, input: usize, inputs: i32, output: usize): void {
  const bias = weights + ((inputs * HIDDEN) << 2);
  let a0 = v128.load(bias, 0); let a1 = v128.load(bias, 16); let a2 = v128.load(bias, 32); let a3 = v128.load(bias, 48);
  let a4 = v128.load(bias, 64); let a5 = v128.load(bias, 80); let a6 = v128.load(bias, 96); let a7 = v128.load(bias, 112);
  for (let i = 0; i < inputs; i += 1) {
    const x = v128.load32_splat(input + (i << 2));
    const w = weights + (i << 7);
    a0 = f32x4.add(a0, f32x4.mul(x, v128.load(w, 0)));
    a1 = f32x4.add(a1, f32x4.mul(x, v128.load(w, 16)));
    a2 = f32x4.add(a2, f32x4.mul(x, v128.load(w, 32)));
    a3 = f32x4.add(a3, f32x4.mul(x, v128.load(w, 48)));
    a4 = f32x4.add(a4, f32x4.mul(x, v128.load(w, 64)));
    a5 = f32x4.add(a5, f32x4.mul(x, v128.load(w, 80)));
    a6 = f32x4.add(a6, f32x4.mul(x, v128.load(w, 96)));
    a7 = f32x4.add(a7, f32x4.mul(x, v128.load(w, 112)));
  }
  const zero = splat(0);
  v128.store(output, f32x4.pmax(a0, zero), 0); v128.store(output, f32x4.pmax(a1, zero), 16);
  v128.store(output, f32x4.pmax(a2, zero), 32); v128.store(output, f32x4.pmax(a3, zero), 48);
  v128.store(output, f32x4.pmax(a4, zero), 64); v128.store(output, f32x4.pmax(a5, zero), 80);
  v128.store(output, f32x4.pmax(a6, zero), 96); v128.store(output, f32x4.pmax(a7, zero), 112);
}

/** Probabilities unknown, free, occupied from the last hidden layer. weights: [HIDDEN][4], then 4 biases. */
@inline function classify(weights: usize, hidden: usize, out: usize): void {
  // four sums at once, because each addition waits for the one before
  let s0 = v128.load(weights + ((HIDDEN * 4) << 2));
  let s1 = splat(0); let s2 = splat(0); let s3 = splat(0);
  for (let i = 0; i < HIDDEN; i += 4) {
    const h = hidden + (i << 2);
    const w = weights + (i << 4);
    s0 = f32x4.add(s0, f32x4.mul(v128.load32_splat(h, 0), v128.load(w, 0)));
    s1 = f32x4.add(s1, f32x4.mul(v128.load32_splat(h, 4), v128.load(w, 16)));
    s2 = f32x4.add(s2, f32x4.mul(v128.load32_splat(h, 8), v128.load(w, 32)));
    s3 = f32x4.add(s3, f32x4.mul(v128.load32_splat(h, 12), v128.load(w, 48)));
  }
  const logits = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
  const a = f32x4.extract_lane(logits, 0);
  const b = f32x4.extract_lane(logits, 1);
  const c = f32x4.extract_lane(logits, 2);
  const ab = a > b ? a : b;
  const top = ab > c ? ab : c;
  const e = exp2(f32x4.pmax(f32x4.mul(f32x4.sub(logits, splat(top)), splat(1.44269504)), splat(-60)));
  const total = f32x4.extract_lane(e, 0) + f32x4.extract_lane(e, 1) + f32x4.extract_lane(e, 2);
  store<f32>(out, f32x4.extract_lane(e, 0) / total, 0);
  store<f32>(out, f32x4.extract_lane(e, 1) / total, 4);
  store<f32>(out, f32x4.extract_lane(e, 2) / total, 8);
}

/** Voxels of an item: what a thread takes at a time. */
const BLOCK: i32 = 128;
const SCRATCH: usize = 512;

/** How many threads may run items at once; each has its own scratch. */
export const PARTS: i32 = 4;

/**
 * The job, as the host writes it at `base`: int32 addresses of the list of voxels (int32 [count][3]: x, y, z in cells of
 * the level), of the answers (float32 [count][3]) and of the rows; columns and rows of cells; inner points of a voxel
 * along x (at most 4) and y; address of the table; then float32 x and y of the grid's minimum
 * corner and the edge of a voxel, metres, and (cx + 0.5) / 4, (cy + 0.5) / 4. Scratch follows at `base` + 64.
 */
export function items(count: i32, phase: i32): i32 {
  return phase == 0 ? (count + BLOCK - 1) / BLOCK : 0;
}

/** Evaluates the voxels of one block of a list of `count`. */
export function runItem(base: usize, _width: i32, count: i32, _phase: i32, item: i32, part: i32): void {
  const first = item * BLOCK;
  const voxels = min(BLOCK, count - first);
  evaluate(
    voxels, (load<i32>(base) + first * 12) as usize, (load<i32>(base, 4) + first * 12) as usize, load<i32>(base, 8) as usize,
    load<i32>(base, 12), load<i32>(base, 16), load<f32>(base, 32), load<f32>(base, 36), load<f32>(base, 40), load<f32>(base, 44),
    load<f32>(base, 48), load<i32>(base, 20), load<i32>(base, 24), load<i32>(base, 28) as usize, base + 64 + (part as usize) * SCRATCH,
  );
}

function evaluate(
  count: i32, index: usize, out: usize, rows: usize, columns: i32, height: i32, cornerX: f32, cornerY: f32, size: f32, cx4: f32,
  cy4: f32, nx: i32, ny: i32, table: usize, scratch: usize,
): void {
  const features = scratch;
  const hidden1 = scratch + 128;
  const hidden2 = scratch + 256;
  const stepX = f32x4.div(f32x4(0.5, 1.5, 2.5, 3.5), splat(nx as f32));
  const lanes = f32x4.lt(f32x4(0, 1, 2, 3), splat(nx as f32));
  const stepY = size / (ny as f32);
  const one = splat(1);
  const zero = splat(0);
  const lastColumn = splat((columns - 1) as f32);
  for (let n = 0; n < count; n += 1) {
    const at = index + n * 12;
    const ix = load<i32>(at, 0);
    const iy = load<i32>(at, 4);
    const entry = table + (load<i32>(at, 8) as usize) * ENTRY;
    const weights = load<i32>(entry) as usize;
    const nz = load<i32>(entry, 4);
    const layer2 = weights + (((INPUTS + 1) * HIDDEN) << 2);
    const layer3 = layer2 + (((HIDDEN + 1) * HIDDEN) << 2);
    const x = f32x4.add(splat(cornerX), f32x4.mul(f32x4.add(splat(ix as f32), stepX), splat(size)));
    const top = cornerY + (iy as f32) * size;
    let hitMax = zero; let hitSum = zero; let miss = one; let beforeSum = zero; let beforeMax = zero;
    let behindSum = zero; let behindMax = zero; let widths = zero; let insides = zero; let weightSum = zero;
    for (let s = 0; s < nz; s += 1) {
      const slice = entry + (((FIRST_SLICE + s * SLICE) as usize) << 2);
      const near = v128.load32_splat(slice, 8);
      const far = v128.load32_splat(slice, 12);
      const scaleY = load<f32>(slice, 4);
      const column = f32x4.floor(f32x4.add(f32x4.mul(x, v128.load32_splat(slice, 0)), splat(cx4)));
      const clamped = wholeOf(f32x4.pmin(f32x4.pmax(column, zero), lastColumn));
      const insideX = v128.and(lanes, v128.and(f32x4.ge(column, zero), f32x4.le(column, lastColumn)));
      for (let t = 0; t < ny; t += 1) {
        const line = floor<f32>((top + ((t as f32) + 0.5) * stepY) * scaleY + cy4);
        const insideY = line >= 0 && line <= ((height - 1) as f32);
        const inside = insideY ? v128.and(insideX, one) : zero;
        const row = rows + ((within(line, height - 1) * columns) as usize) * ROW;
        const p0 = row + (i32x4.extract_lane(clamped, 0) as usize) * ROW;
        const p1 = row + (i32x4.extract_lane(clamped, 1) as usize) * ROW;
        const p2 = row + (i32x4.extract_lane(clamped, 2) as usize) * ROW;
        const p3 = row + (i32x4.extract_lane(clamped, 3) as usize) * ROW;
        const q0 = v128.load(p0); const q1 = v128.load(p1); const q2 = v128.load(p2); const q3 = v128.load(p3);
        const lo01 = i32x4.shuffle(q0, q1, 0, 4, 1, 5); // m1 m1 m2 m2
        const lo23 = i32x4.shuffle(q2, q3, 0, 4, 1, 5);
        const hi01 = i32x4.shuffle(q0, q1, 2, 6, 3, 7); // s1 s1 s2 s2
        const hi23 = i32x4.shuffle(q2, q3, 2, 6, 3, 7);
        const m1 = i64x2.shuffle(lo01, lo23, 0, 2);
        const m2 = i64x2.shuffle(lo01, lo23, 1, 3);
        const s1 = i64x2.shuffle(hi01, hi23, 0, 2);
        const s2 = i64x2.shuffle(hi01, hi23, 1, 3);
        let w = v128.load32_splat(p0, 16);
        w = f32x4.replace_lane(w, 1, load<f32>(p1, 16));
        w = f32x4.replace_lane(w, 2, load<f32>(p2, 16));
        w = f32x4.replace_lane(w, 3, load<f32>(p3, 16));
        const r1 = f32x4.div(one, s1);
        const r2 = f32x4.div(one, s2);
        const v = f32x4.sub(one, w);
        const atNear = mixture(w, f32x4.mul(f32x4.sub(near, m1), r1), v, f32x4.mul(f32x4.sub(near, m2), r2));
        const atFar = mixture(w, f32x4.mul(f32x4.sub(far, m1), r1), v, f32x4.mul(f32x4.sub(far, m2), r2));
        const hit = f32x4.mul(f32x4.pmax(f32x4.sub(atNear, atFar), zero), inside);
        const before = f32x4.mul(f32x4.sub(one, atNear), inside);
        const behind = f32x4.mul(atFar, inside);
        hitMax = f32x4.pmax(hitMax, hit);
        hitSum = f32x4.add(hitSum, hit);
        miss = f32x4.mul(miss, f32x4.sub(one, hit));
        beforeSum = f32x4.add(beforeSum, before);
        beforeMax = f32x4.pmax(beforeMax, before);
        behindSum = f32x4.add(behindSum, behind);
        behindMax = f32x4.pmax(behindMax, behind);
        widths = f32x4.add(widths, f32x4.mul(s1, inside));
        insides = f32x4.add(insides, inside);
        weightSum = f32x4.add(weightSum, f32x4.mul(w, inside));
      }
    }
    const inside = sum(insides);
    const share = (1 as f32) / (inside > 1 ? inside : (1 as f32));
    const none = f32x4.extract_lane(miss, 0) * f32x4.extract_lane(miss, 1) * (f32x4.extract_lane(miss, 2) * f32x4.extract_lane(miss, 3));
    store<f32>(features, largest(hitMax), 0);
    store<f32>(features, sum(hitSum) * share, 4);
    store<f32>(features, (1 as f32) - none, 8);
    store<f32>(features, sum(beforeSum) * share, 12);
    store<f32>(features, largest(beforeMax), 16);
    store<f32>(features, sum(behindSum) * share, 20);
    store<f32>(features, largest(behindMax), 24);
    store<f32>(features, sum(widths) * share * load<f32>(entry, 24), 28);
    store<f32>(features, inside / ((nx * ny * nz) as f32), 32);
    store<f32>(features, sum(weightSum) * share, 36);
    const middle = centreRow(rows, columns, height, entry, cornerX + ((ix as f32) + 0.5) * size, cornerY + ((iy as f32) + 0.5) * size, cx4, cy4, nz);
    v128.store(features, v128.load(middle, 20), 40);
    v128.store(features, v128.load(middle, 36), 56);
    store<f32>(features, load<f32>(entry, 8), 72);
    store<f32>(features, load<f32>(entry, 12), 76);
    store<f32>(features, load<f32>(entry, 16), 80);
    store<f32>(features, (cornerY + ((iy as f32) + 0.5) * size) * 0.3, 84);
    store<f32>(features, load<f32>(entry, 20), 88);
    layer(weights, features, INPUTS, hidden1);
    layer(layer2, hidden1, HIDDEN, hidden2);
    classify(layer3, hidden2, out + n * 12);
  }
}

/** Row of the cell that the voxel's centre projects to (the nearest one where it falls outside). */
@inline function centreRow(
  rows: usize, columns: i32, height: i32, entry: usize, x: f32, y: f32, cx4: f32, cy4: f32, nz: i32,
): usize {
  // The scales of the centre follow the last slice of the table.
  const scale = entry + (((FIRST_SLICE + nz * SLICE) as usize) << 2);
  const u = within(floor<f32>(x * load<f32>(scale, 0) + cx4), columns - 1);
  const v = within(floor<f32>(y * load<f32>(scale, 4) + cy4), height - 1);
  return rows + ((v * columns + u) as usize) * ROW;
}
