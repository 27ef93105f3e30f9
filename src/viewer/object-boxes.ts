import { BufferAttribute, BufferGeometry, LineBasicMaterial, LineSegments } from "three";
import type { SpaceBox } from "./detections.ts";

/** The twelve edges of a box: pairs of corners, a corner by its bits x, y, z. */
const edges = [0, 1, 2, 3, 4, 5, 6, 7, 0, 2, 1, 3, 4, 6, 5, 7, 0, 4, 1, 5, 2, 6, 3, 7];

/** Objects as boxes of lines, in the frame that they were seen in: optical axes. */
export class ObjectBoxes {
  readonly object = new LineSegments(new BufferGeometry(), new LineBasicMaterial({ color: "#ffd166", fog: false }));

  constructor() {
    this.object.frustumCulled = false;
  }

  update(boxes: readonly SpaceBox[]): void {
    const xyz = new Float32Array(boxes.length * edges.length * 3);
    let at = 0;
    for (const { centre, size } of boxes) {
      for (const corner of edges) {
        xyz[at] = centre.x + ((corner & 1) - 0.5) * size.x;
        xyz[at + 1] = centre.y + (((corner >> 1) & 1) - 0.5) * size.y;
        xyz[at + 2] = centre.z + ((corner >> 2) - 0.5) * size.z;
        at += 3;
      }
    }
    this.object.geometry.dispose();
    this.object.geometry.setAttribute("position", new BufferAttribute(xyz, 3));
  }
}
