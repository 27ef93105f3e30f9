import { cssGradient, type Rgb } from "./colour.ts";
import type { HeightRange } from "./height-range.ts";
import type { LinkState } from "./link.ts";
import { type ColourBy, swatches } from "./paint.ts";
import { figure, type Status } from "./status.ts";

const byId = (id: string): HTMLElement => document.getElementById(id)!;

const idle = "F follow   R view   T top   C colour   L light   ? all keys";

/** Swatches of the legend where colours stand for things. */
const things: Partial<Record<ColourBy, readonly (readonly [text: string, colour: Rgb])[]>> = {
  state: [
    ["occupied", swatches.occupied],
    ["free (E)", swatches.free],
  ],
  difference: [
    ["only in A", swatches.onlyA],
    ["only in B", swatches.onlyB],
    ["in both", swatches.both],
  ],
};

/** Text on top of the scene. */
export class Hud {
  /** Of each run. */
  readonly #health: Status["health"][] = [];

  constructor() {
    byId("legend-ramp").style.background = cssGradient();
  }

  setLink(state: LinkState): void {
    const connection = byId("connection");
    connection.dataset["state"] = state.kind;
    if (state.kind === "lost") connection.textContent = `connection lost, again in ${state.retryS} s`;
    else connection.textContent = state.kind === "connecting" ? "connecting" : state.isSteered ? "recording" : "live";
  }

  /** Of the only run, or of one of two. */
  setStatus(status: Status, side: 0 | 1): void {
    this.#health[side] = status.health;
    byId("health").replaceChildren(...healthRows(this.#health.flat()));
    if (side === 1) return;
    const { frame } = status;
    byId("frame").textContent = typeof frame === "string" ? frame : figure(frame);
    byId("pairs").textContent = figure(status.pairs);
    byId("rate").textContent = figure(status.pairsPerSecond);
    byId("stages").replaceChildren(...stageRows(status.stagesMs));
    byId("stages-title").hidden = Object.keys(status.stagesMs).length === 0;
    const accuracy = byId("accuracy");
    accuracy.replaceChildren(...Object.entries(status.accuracy ?? {}).map(([name, value]) => accuracyRow(name, value)));
    (accuracy.previousElementSibling as HTMLElement).hidden = status.accuracy === undefined;
  }

  /** How many occupied voxels each run holds, and how many of them it alone. */
  setVoxels(counts: readonly number[], lone: readonly number[], edgeM: number): void {
    const [a = 0, b] = counts;
    byId("voxels").textContent = figure(a);
    byId("voxels").title = edgeM > 0 ? `each ${edgeM} m wide` : "";
    if (b === undefined) return;
    byId("voxels-a").textContent = figure(a);
    byId("voxels-b").textContent = figure(b);
    byId("only-a").textContent = figure(lone[0]!);
    byId("only-b").textContent = figure(lone[1]!);
  }

  /** Names of the recordings that are compared; one picture without. */
  setSplit(isSplit: boolean): void {
    document.body.classList.toggle("split", isSplit);
  }

  setName(side: "a" | "b", name: string): void {
    byId(`name-${side}`).textContent = name;
    document.title = `voxelguard: ${name}`;
  }

  setLegend(colourBy: ColourBy, range: HeightRange): void {
    byId("legend").hidden = false;
    const rows = things[colourBy];
    byId("legend-range").hidden = rows !== undefined;
    byId("legend-things").replaceChildren(...(rows ?? []).map(([text, colour]) => swatchRow(text, colour)));
    const show = (value: number): string => (colourBy === "height" ? `${value} m` : `${Math.round(value * 100)} %`);
    byId("legend-max").textContent = show(range.max);
    byId("legend-min").textContent = show(range.min);
    byId("legend-title").textContent = colourBy;
  }

  /** A line at the lower edge: what holds now, or what to press. */
  setHint(text: string | undefined): void {
    byId("hint").textContent = text ?? idle;
  }

  setKeys(keys: readonly (readonly [key: string, does: string])[]): void {
    byId("keys").replaceChildren(...keys.flatMap(([key, does]) => [element("dt", key), element("dd", does)]));
  }

  toggleHelp(): void {
    const help = byId("help") as HTMLDialogElement;
    if (help.open) help.close();
    else help.show();
  }
}

function element(tag: string, text: string, className = ""): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

function swatchRow(text: string, [r, g, b]: Rgb): HTMLElement {
  const row = element("li", text);
  row.style.setProperty("--swatch", `rgb(${r} ${g} ${b})`);
  return row;
}

/** One row a stage, with a bar that compares it to the slowest. */
function stageRows(stagesMs: Status["stagesMs"]): HTMLElement[] {
  const stages = Object.entries(stagesMs);
  const slowest = Math.max(...stages.map(([, ms]) => ms), 1e-3);
  return stages.map(([name, ms]) => {
    const row = element("li", name.replaceAll("_", " "));
    row.append(element("b", ms < 10 ? ms.toFixed(1) : ms.toFixed(0)));
    row.style.setProperty("--share", String(ms / slowest));
    return row;
  });
}

function healthRows(health: Status["health"]): HTMLElement[] {
  if (health.length === 0) return [element("li", "all is well")];
  return health.map(({ where, level, message, count }) => {
    const times = count > 1 ? ` (${figure(count)} times)` : "";
    const row = element("li", `${where === "" ? "" : `${where}: `}${message}${times}`);
    row.dataset["level"] = level;
    return row;
  });
}

function accuracyRow(name: string, value: number): HTMLElement {
  const row = document.createElement("div");
  row.append(element("dt", name.replaceAll("_", " ")), element("dd", figure(value)));
  return row;
}
