import type { CameraPanel } from "./camera-panel.ts";
import type { Hud } from "./hud.ts";
import type { World } from "./world.ts";

const idle = "F follow   R view   T top   P detail   C colour   ? all keys";

type Key = readonly [key: string, does: string, act: () => unknown];

/** Binds the keyboard; each key tells in the hint line what holds now. */
export function bindKeys(hud: Hud, world: World, camera: CameraPanel): void {
  // What a key answers stays in the hint line; most need no word.
  const keys: readonly Key[] = [
    ["F", "follow the robot, or stay", () => (world.toggleFollow() ? "following the robot" : "staying here")],
    ["R", "view from behind the robot", () => world.resetView()],
    ["T", "view from above", () => world.topView()],
    ["P", "cubes, points, or whatever is fast enough", () => `drawing: ${world.nextDetail()}`],
    ["C", "colour by height or by probability", () => `colour: ${world.nextColour()}`],
    ["G", "grid", () => world.toggleGrid()],
    ["I", "camera image", () => camera.toggle()],
    ["space", "freeze the map, and go on", () => (world.toggleFreeze() ? "frozen: space goes on" : undefined)],
    ["?", "this list", () => hud.toggleHelp()],
  ];
  const actions = new Map(keys.map(([key, , act]) => [key.toLowerCase(), act]));
  hud.setKeys(keys.map(([key, does]) => [key, does]));
  hud.setHint(idle);
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const name = event.key === " " ? "space" : event.key === "h" ? "?" : event.key.toLowerCase();
    const act = actions.get(name);
    if (act === undefined) return;
    event.preventDefault();
    const answer = act();
    hud.setHint(typeof answer === "string" ? answer : idle);
  });
}
