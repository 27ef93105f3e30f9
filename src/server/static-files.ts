import { createReadStream, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, normalize, sep } from "node:path";

const typeByExtension: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".map": "application/json",
};

const headers = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy":
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'",
};

/** Answers a request with a file below `folder`; nothing outside it is ever read. */
export function serveFile(folder: string, request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== "GET" && request.method !== "HEAD") {
    end(response, 405, "only GET and HEAD");
    return;
  }
  const path = fileOf(folder, request.url ?? "/");
  const size = path === undefined ? undefined : sizeOf(path);
  if (path === undefined || size === undefined) {
    end(response, 404, "no such file");
    return;
  }
  // The page names its scripts by content hash; the page itself must be asked for again after an update.
  const cache = path.includes(`${sep}assets${sep}`) ? "max-age=31536000, immutable" : "no-cache";
  const type = typeByExtension[extname(path)] ?? "application/octet-stream";
  response.writeHead(200, { ...headers, "content-type": type, "content-length": size, "cache-control": cache });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  createReadStream(path)
    .on("error", () => response.destroy())
    .pipe(response);
}

/** The file that a URL names; undefined for one that leaves the folder. */
export function fileOf(folder: string, url: string): string | undefined {
  let name: string;
  try {
    name = decodeURIComponent(url.split(/[?#]/, 1)[0]!);
  } catch {
    return undefined;
  }
  if (name.includes("\0")) return undefined;
  const path = normalize(join(folder, name.endsWith("/") ? `${name}index.html` : name));
  return path.startsWith(folder + sep) ? path : undefined;
}

function sizeOf(path: string): number | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() ? stats.size : undefined;
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...headers, "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
}
