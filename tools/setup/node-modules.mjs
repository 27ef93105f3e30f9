import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Whether node_modules holds what package-lock.json names: npm leaves a lock file of its own inside, and the two must
 * agree on every version. Packages for other platforms are rightly absent.
 * @param {string} root
 */
export function nodeModulesAreFresh(root) {
  const inside = join(root, "node_modules/.package-lock.json");
  if (!existsSync(inside)) return false;
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const present = JSON.parse(readFileSync(inside, "utf8")).packages;
  for (const [path, { version, optional, devOptional }] of Object.entries(wanted)) {
    if (path === "") continue;
    const found = present[path];
    if (found === undefined ? !(optional || devOptional) : found.version !== version) return false;
  }
  return true;
}
