/** The page: connects to the server that it came from and shows the map as it grows, or as it was recorded. */
import { decodeCdr } from "../msg/codec.ts";
import { readTf } from "../msg/read-tf.ts";
import { CameraPanel } from "./camera-panel.ts";
import { spaceBoxesOf } from "./detections.ts";
import { Hud } from "./hud.ts";
import { bindKeys } from "./keys.ts";
import { type Layer, Layers } from "./layers.ts";
import { Link } from "./link.ts";
import { parseStatus } from "./status.ts";
import { firstTheme, putTheme, type Theme } from "./theme.ts";
import { Timeline } from "./timeline.ts";
import { type Side, World } from "./world.ts";

const hud = new Hud();
const world = new World(document.querySelector("canvas#scene")!, hud);
const cameras = (["camera", "camera-b"] as const).map(
  (id, side) => new CameraPanel(document.getElementById(id)!, world.runs[side as Side]),
);
const layers = new Layers(document.getElementById("layers")!, showLayers);
const timeline = new Timeline((name, value) => link.set(name, value));
let session: string | undefined;
let theme: Theme = firstTheme();

/** Topics that are asked for only while their layer is shown. */
const layerOf: Readonly<Record<string, Layer>> = {
  "/voxelguard/free_voxels": "free",
  "/voxelguard/left/compressed": "camera",
  "/voxelguard/detections": "boxes",
  "/voxelguard/detections_3d": "boxes",
  "/voxelguard/patch_mask": "mask",
};

const { protocol, host, pathname, search } = window.location;
const link = new Link({
  // The token, where there is one, came with the address of the page.
  url: `${protocol === "https:" ? "wss" : "ws"}://${host}${pathname}${search}`,
  onState(state) {
    hud.setLink(state);
    if (state.kind !== "open") return;
    timeline.setThere(state.isSteered);
    if (session !== undefined && session !== state.sessionId) {
      world.clear();
      for (const camera of cameras) camera.clear();
    }
    session = state.sessionId;
  },
  onTopic(topic) {
    const isSplit = topic.startsWith("/b/");
    if (topic.startsWith("/a/")) return;
    world.setSplit(isSplit);
    hud.setSplit(isSplit);
  },
  onParameters(values) {
    timeline.update(values);
    for (const side of ["a", "b"] as const) {
      const name = values.get(`run.${side}`);
      if (typeof name === "string") hud.setName(side, name);
    }
  },
  wants(topic) {
    const layer = layerOf[topic.replace(/^\/[ab]\//, "/")];
    return layer === undefined || layers.has(layer);
  },
  topics: { ...topicsOf("", 0), ...topicsOf("/a", 0), ...topicsOf("/b", 1) },
});

bindKeys({
  hud,
  world,
  layers,
  timeline,
  nextTheme() {
    theme = theme === "dark" ? "light" : "dark";
    showTheme();
  },
});
showTheme();
showLayers();
world.start();

function topicsOf(prefix: string, side: Side): Record<string, (cdr: Uint8Array) => void> {
  const camera = cameras[side]!;
  const handlers: Record<string, (cdr: Uint8Array) => void> = {
    "/voxelguard/map_voxels": (cdr) => {
      world.setMap(cdr, side);
      camera.redraw();
    },
    "/voxelguard/free_voxels": (cdr) => world.setFree(cdr, side),
    "/voxelguard/left/compressed": (cdr) => camera.show(cdr),
    "/voxelguard/detections": (cdr) => camera.setBoxes(cdr),
    "/voxelguard/detections_3d": (cdr) => {
      const boxes = spaceBoxesOf(cdr);
      camera.setSpaceBoxes(boxes);
      world.runs[side].setSpaceBoxes(boxes);
      world.invalidate();
    },
    "/voxelguard/patch_mask": (cdr) => camera.setMask(cdr),
    "/tf": (cdr) => {
      const pose = readTf(cdr, false).transforms.at(-1);
      if (pose !== undefined) world.setPose(pose.T_parent_child, side);
    },
    "/voxelguard/status": (cdr) => {
      const status = parseStatus(decodeCdr<{ data: string }>("std_msgs/String", cdr).data);
      if (status === undefined) throw new Error("a status was not JSON with a voxelSizeM");
      hud.setStatus(status, side);
      world.setStatus(status, side);
    },
  };
  return Object.fromEntries(Object.entries(handlers).map(([topic, handle]) => [prefix + topic, guarded(handle)]));
}

function showLayers(): void {
  for (const camera of cameras) {
    camera.setShown(layers.has("camera"));
    camera.setOverlays({ boxes: layers.has("boxes"), mask: layers.has("mask"), voxels: layers.has("overlay") });
  }
  for (const layer of ["free", "boxes", "rig"] as const) world.setLayer(layer, layers.has(layer));
  world.setGrid(layers.has("grid"));
  link.refresh();
}

function showTheme(): void {
  putTheme(theme);
  world.setTheme(theme);
}

/** One bad message must not end the page: it is left out, and the hint says so. */
function guarded(handle: (cdr: Uint8Array) => void): (cdr: Uint8Array) => void {
  return (cdr) => {
    try {
      handle(cdr);
    } catch (thrown) {
      console.error(thrown);
      hud.setHint(`A message was left out: ${thrown instanceof Error ? thrown.message : thrown}`);
    }
  };
}
