import {
  BufferAttribute,
  BufferGeometry,
  DoubleSide,
  Group,
  Line,
  LineBasicMaterial,
  LineSegments,
  Matrix4,
  Mesh,
  MeshBasicMaterial,
  Vector3,
} from "three";
import type { Transform } from "../core/transform.ts";
import type { CameraShape } from "./status.ts";

const depthM = 2.2;
const trailCapacity = 16_384;
const trailStepM = 0.1;
/** Where the status does not tell the camera's shape: 80 degrees wide, 16 to 9. */
const usualShape: CameraShape = { width: 16, height: 9, fx: 9.53, fy: 9.53, cx: 8, cy: 4.5 };

/** Farther than a camera moves between two frames: another place of the recording, where a new trail begins. */
const jumpM = 4;

/** The camera: its frustum at its pose, and the way it came. Optical axes: x right, y down, z forward. */
export class Rig {
  readonly object = new Group();
  readonly position = new Vector3();
  readonly forward = new Vector3(1, 0, 0);
  /** Stands at the camera; what is seen in its frame may be added. */
  readonly frame = new Group();
  readonly #frustum = new Group();
  readonly #glass = new MeshBasicMaterial({
    transparent: true,
    opacity: 0.16,
    side: DoubleSide,
    depthWrite: false,
    fog: false,
  });
  readonly #edges = new LineBasicMaterial({ fog: false });
  readonly #corners = new BufferAttribute(new Float32Array(5 * 3), 3);
  readonly #trail = new Line(new BufferGeometry(), new LineBasicMaterial({ fog: false }));
  readonly #trailXyz = new BufferAttribute(new Float32Array(trailCapacity * 3), 3);
  #trailCount = 0;
  #shape = "";

  constructor() {
    const faces = new BufferGeometry();
    faces.setAttribute("position", this.#corners);
    faces.setIndex([0, 1, 2, 0, 2, 3, 0, 3, 4, 0, 4, 1]);
    const edges = new BufferGeometry();
    edges.setAttribute("position", this.#corners);
    edges.setIndex([0, 1, 0, 2, 0, 3, 0, 4, 1, 2, 2, 3, 3, 4, 4, 1]);
    this.#frustum.add(new Mesh(faces, this.#glass), new LineSegments(edges, this.#edges));
    this.frame.add(this.#frustum);
    this.frame.matrixAutoUpdate = false;
    this.#trail.geometry.setAttribute("position", this.#trailXyz);
    this.#trail.frustumCulled = false;
    this.object.add(this.frame, this.#trail);
    this.object.visible = false;
    this.setShape(undefined);
  }

  setColours({ path, glass }: { readonly path: string; readonly glass: string }): void {
    this.#glass.color.set(path);
    this.#edges.color.set(glass);
    this.#trail.material.color.set(path);
  }

  /** Shows or hides frustum and trail. */
  setShown(isShown: boolean): void {
    this.#frustum.visible = isShown;
    this.#trail.visible = isShown;
  }

  /** True when the rig was not on stage before. */
  setPose(T_map_camera: Transform): boolean {
    const T = T_map_camera;
    const isFirst = !this.object.visible;
    this.object.visible = true;
    this.frame.matrix.copy(new Matrix4().fromArray([...T, 0, 0, 0, 1]).transpose());
    this.frame.matrixWorldNeedsUpdate = true;
    this.position.set(T[3]!, T[7]!, T[11]!);
    this.forward.set(T[2]!, T[6]!, T[10]!);
    this.#extendTrail();
    return isFirst;
  }

  setShape(shape: CameraShape | undefined): void {
    const key = JSON.stringify(shape ?? "");
    if (key === this.#shape) return;
    this.#shape = key;
    const { width, height, fx, fy, cx, cy } = shape ?? usualShape;
    const at = (u: number, v: number): number[] => [((u - cx) / fx) * depthM, ((v - cy) / fy) * depthM, depthM];
    this.#corners.array.set([0, 0, 0, ...at(0, 0), ...at(width, 0), ...at(width, height), ...at(0, height)]);
    this.#corners.needsUpdate = true;
  }

  /** Forgets pose and trail: another run begins. */
  clear(): void {
    this.object.visible = false;
    this.#trailCount = 0;
    this.#trail.geometry.setDrawRange(0, 0);
  }

  #extendTrail(): void {
    const { array } = this.#trailXyz;
    const last = (this.#trailCount - 1) * 3;
    const { x, y, z } = this.position;
    const movedM = last < 0 ? jumpM : Math.hypot(array[last]! - x, array[last + 1]! - y, array[last + 2]! - z);
    if (movedM < trailStepM) return;
    if (movedM > jumpM) this.#trailCount = 0;
    if (this.#trailCount === trailCapacity) {
      // Keeps the newer half: the older lies kilometres behind.
      array.copyWithin(0, (trailCapacity / 2) * 3);
      this.#trailCount /= 2;
    }
    array.set([x, y, z], this.#trailCount * 3);
    this.#trailCount += 1;
    this.#trailXyz.needsUpdate = true;
    this.#trail.geometry.setDrawRange(0, this.#trailCount);
  }
}
