import {
  BufferAttribute,
  BufferGeometry,
  Color,
  DynamicDrawUsage,
  PointsMaterial,
  Points as PointsObject,
} from "three";
import { swatches } from "./paint.ts";
import type { Points } from "./point-cloud.ts";

/** Share of a voxel's edge that the dot of a free one takes. */
const dotShare = 0.2;

/** Free voxels, as small translucent dots in their middles. Capacity grows and never shrinks. */
export class FreePoints {
  readonly object: PointsObject<BufferGeometry, PointsMaterial>;

  constructor() {
    const color = new Color(`rgb(${swatches.free.join(",")})`);
    const material = new PointsMaterial({
      color,
      transparent: true,
      opacity: 0.7,
      depthWrite: false,
      size: dotShare / 2,
    });
    this.object = new PointsObject(new BufferGeometry(), material);
    this.object.frustumCulled = false;
    this.object.visible = false;
  }

  setEdgeM(edgeM: number): void {
    this.object.material.size = edgeM * dotShare;
  }

  update({ xyz, count }: Points): void {
    const { geometry } = this.object;
    const before = geometry.attributes["position"];
    if (before?.array !== xyz) {
      geometry.dispose();
      geometry.setAttribute("position", new BufferAttribute(xyz, 3).setUsage(DynamicDrawUsage));
    } else before.needsUpdate = true;
    geometry.setDrawRange(0, count);
  }
}
