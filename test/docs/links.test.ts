import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { readText, root } from "../launch/support.ts";
import { pages } from "./markdown.ts";

/** Headings as GitHub names their anchors. */
function anchorsOf(page: string): Set<string> {
  const headings = readText(page)
    .replaceAll(/^```[\s\S]*?^```/gm, "")
    .matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, text]) =>
      text!
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

it.each(pages)("%s: every link and picture leads somewhere", (page) => {
  const targets = [...readText(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  for (const target of targets) {
    if (/^https?:/.test(target)) continue;
    const [path, anchor] = target.split("#") as [string, string | undefined];
    const file = path === "" ? page : join(dirname(page), path);
    expect(existsSync(join(root, file)), `${page}: ${target}`).toBe(true);
    if (anchor !== undefined) expect(anchorsOf(file), `${page}: ${target}`).toContain(anchor);
  }
});

it("every page of docs/ is listed in docs/README.md", () => {
  const index = readText("docs/README.md");
  for (const page of pages) {
    const name = page.replace("docs/", "");
    if (name !== page && name !== "README.md") expect(index).toContain(`(${name})`);
  }
});
