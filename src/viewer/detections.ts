import { decodeCdr } from "../msg/codec.ts";

interface Hypothesis {
  readonly hypothesis: { readonly class_id: string; readonly score: number };
}
interface Point3 {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** An object in the image, pixels at edges. */
export interface ImageBox {
  readonly id: string;
  readonly label: string;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** An upright box in the left optical frame, metres. */
export interface SpaceBox {
  readonly id: string;
  readonly label: string;
  readonly centre: Point3;
  readonly size: Point3;
}

/** From a CDR `vision_msgs/Detection2DArray`. Throws `Fault` MESSAGE_CORRUPT. */
export function imageBoxesOf(cdr: Uint8Array): ImageBox[] {
  const { detections } = decodeCdr<{
    detections: readonly {
      readonly id: string;
      readonly results: readonly Hypothesis[];
      readonly bbox: { center: { position: { x: number; y: number } }; size_x: number; size_y: number };
    }[];
  }>("vision_msgs/Detection2DArray", cdr);
  return detections.map(({ id, results, bbox: { center, size_x: width, size_y: height } }) => {
    const { x, y } = center.position;
    return { id, label: labelOf(id, results), left: x - width / 2, top: y - height / 2, width, height };
  });
}

/** From a CDR `vision_msgs/Detection3DArray`. Throws `Fault` MESSAGE_CORRUPT. */
export function spaceBoxesOf(cdr: Uint8Array): SpaceBox[] {
  const { detections } = decodeCdr<{
    detections: readonly {
      readonly id: string;
      readonly results: readonly Hypothesis[];
      readonly bbox: { center: { position: Point3 }; size: Point3 };
    }[];
  }>("vision_msgs/Detection3DArray", cdr);
  return detections.map(({ id, results, bbox }) => {
    return { id, label: labelOf(id, results), centre: bbox.center.position, size: bbox.size };
  });
}

function labelOf(id: string, [best]: readonly Hypothesis[]): string {
  const name = best === undefined ? "object" : `${best.hypothesis.class_id} ${best.hypothesis.score.toFixed(2)}`;
  return id === "" ? name : `#${id} ${name}`;
}
