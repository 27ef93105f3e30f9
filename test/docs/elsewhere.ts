/** Lines of the pages that this machine does not run, each with the reason and, where there is one, the test that does. */
export const elsewhere: readonly { readonly line: RegExp; readonly reason: string }[] = [
  { line: /^git clone /, reason: "fetches from the network; .ci/run starts from a clean clone" },
  { line: /^npm run demo/, reason: "test/demo runs it" },
  {
    line: /^npm (run )?(install|build|check|test|generate|docs:api)|^cd \S+ && npm install/,
    reason: "what these tests themselves come from",
  },
  { line: /^npm run bench/, reason: "minutes on a quiet machine" },
  { line: /^colcon build/, reason: "test/ros/colcon.test.ts builds the package with it" },
  { line: /^(source|\.) |^export |^cd \S+$/, reason: "belongs to a shell with ROS" },
  { line: /^ros2 /, reason: "no machine of this project has ros2 launch; test/launch evaluates the launch files" },
  { line: /^sudo nvpmodel/, reason: "a Jetson's own program" },
  {
    line: /^python -m (voxeltrain|attacks|baseline)\./,
    reason: "hours of rendering, training or attacks; training/tests runs the parts",
  },
  { line: /coco_val/, reason: "test/detect/coco-ap.test.ts runs it" },
  { line: /^voxelguard (view |replay .*--view)/, reason: "serves a page until Ctrl-C; test/viewer runs it" },
];
