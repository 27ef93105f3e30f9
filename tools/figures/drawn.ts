import { evidenceFigure } from "./evidence.ts";
import { mapFigure } from "./map.ts";
import { timeFigure } from "./time.ts";

/** Figures that hang on nothing but code: file below docs/images -> how it is drawn. */
export const drawnFigures: Readonly<Record<string, () => string>> = {
  "how-map.svg": mapFigure,
  "how-evidence.svg": evidenceFigure,
  "how-time.svg": timeFigure,
};
