import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** Whether `host` names this machine alone. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * Whether a websocket may open. With a token, whoever brings it (`?token=` or `Authorization: Bearer`) may. Without one
 * the server listens on loopback only, and a browser's page may connect only when it came from this server: otherwise
 * any site that the user visits could read the robot's map. Programs that send no Origin may.
 */
export function mayConnect(request: IncomingMessage, token: string | undefined): boolean {
  if (token !== undefined) return sameSecret(tokenOf(request), token);
  const host = request.headers.host ?? "";
  // A name that merely resolves to 127.0.0.1 is how DNS rebinding looks.
  if (!isLoopback(hostnameOf(`http://${host}`) ?? "")) return false;
  const { origin } = request.headers;
  return origin === undefined || origin === `http://${host}`;
}

function tokenOf(request: IncomingMessage): string {
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  return bearer ?? new URL(request.url ?? "/", "http://x").searchParams.get("token") ?? "";
}

function hostnameOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, "") : undefined;
}

/** Compares in constant time: the hashes have one length whatever was sent. */
function sameSecret(a: string, b: string): boolean {
  const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
