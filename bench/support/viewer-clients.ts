/** Clients of a viewer in a process of their own: `viewer-clients.ts URL`. Eight that read, one that does not. */
import { TestClient, until } from "../../test/support/foxglove-client.ts";

const readers = 8;
const [url] = process.argv.slice(2);
if (url === undefined) throw new Error("wanted the address of the viewer");
/** What the page asks for when it opens. */
const wanted = ["map_voxels", "left/compressed", "status", "detections", "detections_3d", "patch_mask"];

const clients = await Promise.all(Array.from({ length: readers + 1 }, () => TestClient.connect(url)));
for (const client of clients) {
  await until(() => client.channels.size >= 8, "channels", 60_000);
  for (const topic of client.channels.keys()) {
    if (topic === "/tf" || wanted.some((name) => topic.endsWith(name))) client.subscribe(topic);
  }
}
clients.at(-1)!.socket.pause();
process.stdout.write("ready\n");
process.stdin.on("data", () => {
  const newest = clients
    .slice(0, readers)
    .map(({ received }) => received.filter(({ topic }) => topic === "/tf").length);
  process.stdout.write(`${JSON.stringify(newest)}\n`);
});
// What was received is counted by its poses; the rest would fill the memory.
setInterval(() => {
  for (const { received } of clients) {
    for (let i = received.length - 1; i >= 0; i -= 1) if (received[i]!.topic !== "/tf") received.splice(i, 1);
  }
}, 100);
