import { cssGradient } from "./colour.ts";
import type { HeightRange } from "./height-range.ts";
import type { LinkState } from "./link.ts";
import { figure, type Status } from "./status.ts";
import type { ColourBy } from "./voxels.ts";

const byId = (id: string): HTMLElement => document.getElementById(id)!;

/** Text on top of the scene. */
export class Hud {
  constructor() {
    byId("legend").querySelector("i")!.style.background = cssGradient();
  }

  setLink(state: LinkState): void {
    const words = {
      connecting: () => "connecting",
      open: () => "live",
      lost: (retryS: number) => `connection lost, again in ${retryS} s`,
    } as const;
    const connection = byId("connection");
    connection.dataset["state"] = state.kind;
    connection.textContent = state.kind === "lost" ? words.lost(state.retryS) : words[state.kind]();
  }

  setStatus(status: Status): void {
    const { frame } = status;
    byId("frame").textContent = typeof frame === "string" ? frame : figure(frame);
    byId("pairs").textContent = figure(status.pairs);
    byId("rate").textContent = figure(status.pairsPerSecond);
    byId("stages").replaceChildren(...stageRows(status.stagesMs));
    byId("health").replaceChildren(...healthRows(status.health));
    const accuracy = byId("accuracy");
    accuracy.replaceChildren(...Object.entries(status.accuracy ?? {}).map(([name, value]) => accuracyRow(name, value)));
    (accuracy.previousElementSibling as HTMLElement).hidden = status.accuracy === undefined;
  }

  setVoxels(count: number, edgeM: number | undefined): void {
    byId("voxels").textContent = figure(count);
    byId("voxels").title = edgeM === undefined ? "" : `each ${edgeM} m wide`;
  }

  setLegend(colourBy: ColourBy, range: HeightRange): void {
    byId("legend").hidden = false;
    const show = (value: number): string => (colourBy === "height" ? `${value} m` : `${Math.round(value * 100)} %`);
    byId("legend-max").textContent = show(range.max);
    byId("legend-min").textContent = show(range.min);
    byId("legend-title").textContent = colourBy;
  }

  /** A line at the lower edge: what to press, or what holds now. */
  setHint(text: string): void {
    byId("hint").textContent = text;
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

/** One row a stage, with a bar that compares it to the slowest. */
function stageRows(stagesMs: Status["stagesMs"]): HTMLElement[] {
  const stages = Object.entries(stagesMs);
  if (stages.length === 0) return [element("li", "none reported", "none")];
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
