import {
  BufferAttribute,
  BufferGeometry,
  Color,
  DynamicDrawUsage,
  GLSL3,
  Group,
  InstancedBufferAttribute,
  InstancedBufferGeometry,
  Mesh,
  Points as PointsObject,
  ShaderMaterial,
  Vector2,
} from "three";
import type { Detail } from "./level-of-detail.ts";
import type { Points } from "./point-cloud.ts";
import { keepAllInto, makeThinned, thinInto } from "./thin.ts";
import { cubeFragment, cubeVertex, pointFragment, pointVertex } from "./voxel-shaders.ts";

/** The occupied voxels, drawn as cubes or as points from the same numbers. Capacity grows and never shrinks. */
export class Voxels {
  readonly object = new Group();
  readonly #uniforms;
  readonly #cubes: Mesh<InstancedBufferGeometry, ShaderMaterial>;
  readonly #points: PointsObject<BufferGeometry, ShaderMaterial>;
  readonly #thinned = makeThinned();
  #tint = new Uint8Array(0);

  constructor() {
    this.#uniforms = {
      edgeM: { value: 0.5 },
      pixelsPerRadian: { value: 500 },
      back: { value: new Color() },
      fogM: { value: new Vector2(60, 220) },
    };
    const shared = { uniforms: this.#uniforms, glslVersion: GLSL3 };
    this.#cubes = new Mesh(
      threeFaces(),
      new ShaderMaterial({ ...shared, vertexShader: cubeVertex, fragmentShader: cubeFragment, side: 2 }),
    );
    this.#points = new PointsObject(
      new BufferGeometry(),
      new ShaderMaterial({ ...shared, vertexShader: pointVertex, fragmentShader: pointFragment }),
    );
    // Their extent changes with each message; all that matters is drawn anyway.
    this.#cubes.frustumCulled = false;
    this.#points.frustumCulled = false;
    this.object.add(this.#cubes, this.#points);
    this.#showOnly("cubes");
    this.#cubes.geometry.instanceCount = 0;
    this.#points.geometry.setDrawRange(0, 0);
  }

  /** `points` last, after `update`; `thinAround`: beyond some distance from (x, y) several voxels become one. */
  show(detail: Detail, points: Points, thinAround?: { readonly x: number; readonly y: number }): void {
    this.#showOnly(detail);
    if (detail === "cubes") return;
    const thinned = this.#thinned;
    if (thinAround === undefined) keepAllInto(thinned, points.count);
    else thinInto(thinned, points, this.#uniforms.edgeM.value, thinAround.x, thinAround.y);
    const { geometry } = this.#points;
    if (geometry.index?.array !== thinned.index) {
      geometry.dispose();
      geometry.setIndex(new BufferAttribute(thinned.index, 1).setUsage(DynamicDrawUsage));
      geometry.setAttribute("scale", new BufferAttribute(thinned.scale, 1).setUsage(DynamicDrawUsage));
    }
    geometry.index!.needsUpdate = true;
    geometry.attributes["scale"]!.needsUpdate = true;
    geometry.setDrawRange(0, thinned.count);
  }

  #showOnly(detail: Detail): void {
    this.#cubes.visible = detail === "cubes";
    this.#points.visible = detail === "points";
  }

  /** Red, green, blue and probability of each point, 0..255: tint[4 * i ..]. */
  get tint(): Uint8Array {
    return this.#tint;
  }

  /** The colour that far voxels fade into. */
  setBack(back: Color): void {
    this.#uniforms.back.value.copy(back).convertLinearToSRGB();
  }

  /** Edge of a voxel, metres. */
  setEdgeM(edgeM: number): void {
    this.#uniforms.edgeM.value = edgeM;
  }

  /** Height of the canvas in device pixels and the camera's vertical opening in radians: the size of points. */
  setView(heightPx: number, openingRad: number): void {
    this.#uniforms.pixelsPerRadian.value = heightPx / (2 * Math.tan(openingRad / 2));
  }

  /** Takes the points as they are now (they may be reused once the next frame is drawn); `paint` gives their colours. */
  update(points: Points, paint: (tint: Uint8Array) => void): void {
    if (points.probability.length * 4 > this.#tint.length) this.#grow(points);
    const { count, probability } = points;
    paint(this.#tint);
    for (let i = 0; i < count; i += 1) this.#tint[i * 4 + 3] = Math.round(probability[i]! * 255);
    for (const attribute of this.#attributes()) {
      attribute.clearUpdateRanges();
      attribute.addUpdateRange(0, count * attribute.itemSize);
      attribute.needsUpdate = true;
    }
    this.#cubes.geometry.instanceCount = count;
  }

  dispose(): void {
    for (const { geometry, material } of [this.#cubes, this.#points]) {
      geometry.dispose();
      material.dispose();
    }
  }

  /** New buffers for more points: both geometries share the arrays. */
  #grow(points: Points): void {
    this.#tint = new Uint8Array(points.probability.length * 4);
    const [cubes, dots] = [this.#cubes.geometry, this.#points.geometry];
    cubes.dispose();
    dots.dispose();
    cubes.setAttribute("centre", new InstancedBufferAttribute(points.xyz, 3).setUsage(DynamicDrawUsage));
    cubes.setAttribute("tint", new InstancedBufferAttribute(this.#tint, 4, true).setUsage(DynamicDrawUsage));
    dots.setAttribute("position", new BufferAttribute(points.xyz, 3).setUsage(DynamicDrawUsage));
    dots.setAttribute("tint", new BufferAttribute(this.#tint, 4, true).setUsage(DynamicDrawUsage));
  }

  #attributes(): BufferAttribute[] {
    const [cubes, dots] = [this.#cubes.geometry.attributes, this.#points.geometry.attributes];
    return [cubes["centre"], cubes["tint"], dots["position"], dots["tint"]].filter(
      (attribute): attribute is BufferAttribute => attribute !== undefined,
    );
  }
}

/** The faces of a unit cube around the origin that look along +x, +y and +z. */
function threeFaces(): InstancedBufferGeometry {
  const [positions, uvs, faces, index]: number[][] = [[], [], [], []];
  for (let axis = 0; axis < 3; axis += 1) {
    for (const [u, v] of [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ] as const) {
      const corner = [0, 0, 0];
      corner[axis] = 0.5;
      corner[(axis + 1) % 3] = u - 0.5;
      corner[(axis + 2) % 3] = v - 0.5;
      positions!.push(...corner);
      uvs!.push(u, v);
      faces!.push(axis);
    }
    for (const i of [0, 1, 2, 0, 2, 3]) index!.push(axis * 4 + i);
  }
  const geometry = new InstancedBufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(Float32Array.from(positions!), 3));
  geometry.setAttribute("uv", new BufferAttribute(Float32Array.from(uvs!), 2));
  geometry.setAttribute("face", new BufferAttribute(Float32Array.from(faces!), 1));
  geometry.setIndex(index!);
  return geometry;
}
