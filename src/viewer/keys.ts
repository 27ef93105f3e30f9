import type { Hud } from "./hud.ts";
import { type Layer, type Layers, layers } from "./layers.ts";
import type { Timeline } from "./timeline.ts";
import type { World } from "./world.ts";

export interface Controls {
  readonly hud: Hud;
  readonly world: World;
  readonly layers: Layers;
  readonly timeline: Timeline;
  nextTheme(): void;
}

type Key = readonly [key: string, does: string, act: () => unknown];

const names: Readonly<Record<string, string>> = { " ": "space", arrowleft: "←", arrowright: "→", h: "?" };

/** Binds the keyboard; each key tells in the hint line what holds now. */
export function bindKeys({ hud, world, layers: shown, timeline, nextTheme }: Controls): void {
  // What a key answers stays in the hint line; most need no word.
  const view: readonly Key[] = [
    ["F", "follow the robot, or stay", () => (world.toggleFollow() ? "following the robot" : "staying here")],
    ["R", "view from behind the robot", () => world.resetView()],
    ["T", "view from above", () => world.topView()],
    ["P", "cubes, points, or whatever is fast enough", () => `drawing: ${world.nextDetail()}`],
    ["C", "colour by height, probability or state", () => `colour: ${world.nextColour()}`],
    ["L", "light or dark", () => nextTheme()],
    ["?", "this list", () => hud.toggleHelp()],
  ];
  const toggles = Object.entries(layers).map(
    ([name, { key, does }]): Key => [key, does, () => shown.toggle(name as Layer)],
  );
  const live: readonly Key[] = [
    ["space", "freeze the map, and go on", () => (world.toggleFreeze() ? "frozen: space goes on" : undefined)],
  ];
  const steered: readonly Key[] = [
    ["space", "play or pause", () => timeline.toggle()],
    ["→", "a frame on", () => timeline.step(1)],
    ["←", "a frame back", () => timeline.step(-1)],
    ["+", "faster", () => timeline.faster(1)],
    ["-", "slower", () => timeline.faster(-1)],
  ];
  const now = (): readonly Key[] => [...(timeline.isThere ? steered : live), ...view, ...toggles];
  hud.setHint(undefined);
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const name = names[event.key.toLowerCase()] ?? event.key.toLowerCase();
    const key = now().find(([each]) => each.toLowerCase() === name);
    if (key === undefined) return;
    event.preventDefault();
    if (key[0] === "?") hud.setKeys(now().map(([each, does]) => [each, does]));
    const answer = key[2]();
    hud.setHint(typeof answer === "string" ? answer : undefined);
  });
}
