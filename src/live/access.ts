import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

export interface Refusal {
  readonly status: 403 | 405;
  readonly reason: string;
}

/** The addresses under which a browser on this machine knows the server. */
const ownOrigins = (port: number) => ["127.0.0.1", "localhost"].map((name) => new URL(`http://${name}:${port}`));

/**
 * Why a request is refused; null when it is not. Any page that a browser on this machine shows can send requests here:
 * a Host of its own is how it reads the answers (DNS rebinding), an Origin or Sec-Fetch-Site tells of it.
 */
export function refusalOf(
  { method, headers }: Pick<IncomingMessage, "method" | "headers">,
  port: number,
): Refusal | null {
  const own = ownOrigins(port);
  if (!own.some(({ host }) => host === headers.host?.toLowerCase())) return refused("not a name of this server");
  if (headers.origin !== undefined && !own.some(({ origin }) => origin === headers.origin))
    return refused("asked by another page");
  const site = headers["sec-fetch-site"] ?? "none";
  // Following a link from another page is no more than opening the address.
  const isLink = headers["sec-fetch-mode"] === "navigate";
  if (site !== "same-origin" && site !== "none" && !isLink) return refused("asked by another page");
  if (method !== "GET" && method !== "HEAD") return { status: 405, reason: "this page is for reading" };
  return null;
}

/**
 * What a request asks for behind the page's key, the first part of its path, which the run's log has: other users of this
 * machine reach the port too. null where the key is another.
 */
export function askedFor({ url = "" }: Pick<IncomingMessage, "url">, key: string): string | null {
  const [, given = "", asked] = /^\/([^/?]*)(\/.*)$/.exec(url) ?? [];
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return asked !== undefined && timingSafeEqual(digest(given), digest(key)) ? asked : null;
}

const refused = (reason: string): Refusal => ({ status: 403, reason });
