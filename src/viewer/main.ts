/** The page: connects to the server that it came from and shows the map as it grows. */
import { decodeCdr } from "../msg/codec.ts";
import { readTf } from "../msg/read-tf.ts";
import { CameraPanel } from "./camera-panel.ts";
import { Hud } from "./hud.ts";
import { bindKeys } from "./keys.ts";
import { Link } from "./link.ts";
import { parseStatus } from "./status.ts";
import { World } from "./world.ts";

const hud = new Hud();
const world = new World(document.querySelector("canvas#scene")!, hud);
const camera = new CameraPanel(document.getElementById("camera")!);
let session: string | undefined;

bindKeys(hud, world, camera);

const { protocol, host, pathname, search } = window.location;
new Link({
  // The token, where there is one, came with the address of the page.
  url: `${protocol === "https:" ? "wss" : "ws"}://${host}${pathname}${search}`,
  onState(state) {
    hud.setLink(state);
    if (state.kind !== "open") return;
    if (session !== undefined && session !== state.sessionId) world.clear();
    session = state.sessionId;
  },
  topics: {
    "/voxelguard/map_voxels": guarded((cdr) => world.setMap(cdr)),
    "/voxelguard/left/compressed": guarded((cdr) => camera.show(cdr)),
    "/tf": guarded((cdr) => {
      const pose = readTf(cdr, false).transforms.at(-1);
      if (pose !== undefined) world.setPose(pose.T_parent_child);
    }),
    "/voxelguard/status": guarded((cdr) => {
      const status = parseStatus(decodeCdr<{ data: string }>("std_msgs/String", cdr).data);
      if (status === undefined) throw new Error("a status was not JSON with a voxelSizeM");
      hud.setStatus(status);
      world.setStatus(status);
    }),
  },
});
world.start();

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
