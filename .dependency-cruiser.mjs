/**
 * The import walls of the project. A folder of src/ may import only the folders in its row; a heavy or platform-bound
 * package belongs to the folders named for it. `test/house/walls.test.ts` plants violations and checks that each is
 * caught.
 */
const may = {
  core: [],
  config: ["core"],
  msg: ["core"],
  infer: ["core", "detect"],
  stereo: ["core", "config"],
  octree: ["core", "config"],
  detect: ["core", "config"],
  pipeline: ["core", "config", "stereo", "octree", "detect", "infer", "msg"],
  doctor: ["core", "stereo", "pipeline", "infer"],
  io: ["core", "msg"],
  server: ["core", "msg"],
  ros: ["core", "config", "msg", "pipeline"],
  viewer: ["core", "msg", "octree"],
  cli: ["core", "config", "msg", "infer", "stereo", "octree", "detect", "pipeline", "doctor", "io", "server", "ros"],
};

/** package -> the only folders of src/ (`bench`, `tools` and `nodes` have no use for them either) that may import it. */
const only = {
  rclnodejs: ["ros"],
  "onnxruntime-(node|common)": ["infer"],
  sharp: ["io"],
  "@mcap": ["io"],
  "node-sqlite3-wasm": ["io"],
  ws: ["server"],
  "@foxglove/ws-protocol": ["server", "viewer"],
  three: ["viewer"],
};

const withoutNode = ["core", "config", "msg", "stereo", "octree", "detect", "pipeline", "doctor", "viewer"];
/** Tests and benches may reach anywhere. */
const exempt = "\\.(test|bench)\\.ts$";

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...Object.entries(may).map(([folder, allowed]) => ({
      name: `wall-${folder}`,
      comment: `src/${folder} may import only: ${allowed.join(", ") || "nothing of src"}`,
      severity: "error",
      from: { path: `^src/${folder}/`, pathNot: exempt },
      to: { path: "^src/", pathNot: `^src/(${[folder, ...allowed].join("|")})/` },
    })),
    ...Object.entries(only).map(([name, folders]) => ({
      name: `only-${folders.join("-")}-imports-${name.replaceAll(/[^a-z0-9]+/g, "-")}`,
      comment: `${name} may be imported only by src/${folders.join(", src/")}`,
      severity: "error",
      from: { path: "^(src|nodes)/", pathNot: [`^src/(${folders.join("|")})/`, exempt] },
      // The leading ^ catches a package that is not installed.
      to: { path: `(^|node_modules/)(@types/)?${name}(/|$)` },
    })),
    {
      name: "src-is-self-contained",
      comment: "src imports no nodes, tests, benches or tools",
      severity: "error",
      from: { path: "^src/", pathNot: exempt },
      to: { path: "^(nodes|test|bench|tools)/" },
    },
    {
      name: "nodes-not-viewer",
      comment: "the viewer is a page of its own, loaded by a browser",
      severity: "error",
      from: { path: "^nodes/" },
      to: { path: "^src/viewer/" },
    },
    {
      name: "no-node-built-ins",
      comment: `no node: modules in src/${withoutNode.join(", src/")}`,
      severity: "error",
      from: { path: `^src/(${withoutNode.join("|")})/`, pathNot: [exempt, "\\.config\\.ts$"] },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "no-cycles",
      comment: "a cycle means that two files are one",
      severity: "error",
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)dist/" },
    enhancedResolveOptions: { extensions: [".ts", ".mjs", ".js"], conditionNames: ["import", "node", "default"] },
  },
};
