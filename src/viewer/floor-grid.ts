import { BufferAttribute, BufferGeometry, LineBasicMaterial, LineSegments } from "three";

const cellM = 5;
const cells = 60;
/** Lines are cut into pieces: some software renderers fade a line that passes behind the eye as if it were all far. */
const piecesPerLine = 12;

/** A floor of lines in the xy plane that goes along with the robot in whole cells, so that its lines stand still. */
export class FloorGrid {
  readonly object: LineSegments<BufferGeometry, LineBasicMaterial>;

  constructor() {
    const half = (cellM * cells) / 2;
    const piece = (cellM * cells) / piecesPerLine;
    const xyz: number[] = [];
    for (let line = 0; line <= cells; line += 1) {
      const across = line * cellM - half;
      for (let i = 0; i < piecesPerLine; i += 1) {
        const [from, to] = [i * piece - half, (i + 1) * piece - half];
        xyz.push(from, across, 0, to, across, 0, across, from, 0, across, to, 0);
      }
    }
    const geometry = new BufferGeometry().setAttribute("position", new BufferAttribute(Float32Array.from(xyz), 3));
    this.object = new LineSegments(geometry, new LineBasicMaterial());
    this.object.frustumCulled = false;
  }

  setColour(colour: string): void {
    this.object.material.color.set(colour);
  }

  place(x: number, y: number, z: number): void {
    this.object.position.set(Math.round(x / cellM) * cellM, Math.round(y / cellM) * cellM, z);
  }
}
