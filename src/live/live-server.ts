import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { livePolicy } from "../report/page/html-page.ts";
import { renderReport } from "../report/run/render-report.ts";
import type { RunRecord } from "../runs/record.ts";
import { askedFor, refusalOf } from "./access.ts";
import { CurrentPage } from "./current-page.ts";
import { EventStreams } from "./event-streams.ts";
import { Newcomers } from "./newcomers.ts";

/** A browser opens six for one page. */
const mostConnections = 64;

/** Milliseconds without a byte read or written, after which a connection ends; streams beat more often. */
const idleTime = 30_000;

/** Milliseconds that clients have at the end to take the last page. */
const grace = 2_000;

const securityHeaders = () => ({
  "content-security-policy": `${livePolicy()}; frame-ancestors 'none'`,
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
});

/** Serves the growing report of one run, on this machine alone, for reading, to whoever knows its address. */
export class LiveServer {
  readonly #page = new CurrentPage((record, liveVersion) => renderReport(record, { liveVersion }));
  readonly #headers = securityHeaders();
  readonly #streams = new EventStreams();
  readonly #newcomers = new Newcomers();
  /** The first part of every path. */
  readonly #key = randomBytes(16).toString("base64url");
  readonly #server: Server;
  #telling: NodeJS.Timeout | null = null;
  #step: string | null = null;

  constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.maxConnections = mostConnections;
    this.#server.setTimeout(idleTime);
    this.#server.on("connection", (socket) => this.#newcomers.add(socket));
    // A connection that breaks is the client's affair.
    this.#server.on("clientError", (_, socket) => socket.destroy());
  }

  /** @param port 0: a free one. @returns the page's address. @throws what listening fails with, as EADDRINUSE. */
  async listen(port: number): Promise<string> {
    this.#server.listen({ host: "127.0.0.1", port });
    await once(this.#server, "listening");
    return `http://127.0.0.1:${this.#port}/${this.#key}/`;
  }

  /** A new state of the run. Clients hear of it as soon as its page may be drawn. */
  show(record: RunRecord): void {
    this.#page.show(record);
    if (this.#telling === null) this.#tell();
  }

  /** How far training is, in words: clients hear of it at once, the page stays. */
  tellStep(text: string): void {
    this.#step = text;
    this.#streams.sendStep(text);
  }

  /** Tells clients that the run has ended, waits a moment for them to take the last page, and closes. */
  async end(): Promise<void> {
    if (this.#telling) clearTimeout(this.#telling);
    const last = this.#streams.isEmpty ? null : this.#page.takeLast();
    if (last) {
      this.#streams.send("end", last.version);
      await Promise.race([this.#streams.empty(), sleep(grace, undefined, { ref: false })]);
    }
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #tell(): void {
    const { rest, version } = this.#page;
    this.#telling = rest > 0 ? setTimeout(() => this.#tell(), rest).unref() : null;
    if (rest === 0) this.#streams.send("state", version);
  }

  get #port(): number {
    // A server that listens on a port has an address of that kind.
    return (this.#server.address() as AddressInfo).port;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(this.#headers)) response.setHeader(name, value);
    const refusal = refusalOf(request, this.#port);
    if (refusal) {
      if (refusal.status === 405) response.setHeader("allow", "GET, HEAD");
      say(response, refusal.status, refusal.reason);
      return;
    }
    const asked = askedFor(request, this.#key);
    if (asked === null) {
      say(response, 403, "the run's log has the whole address of this page");
      return;
    }
    this.#newcomers.admit(request.socket);
    if (asked === "/") this.#answerPage(request, response);
    else if (asked === "/events") this.#answerEvents(request, response);
    else say(response, 404, "there is one page here");
  }

  #answerPage({ method }: IncomingMessage, response: ServerResponse): void {
    const page = method === "HEAD" ? null : this.#page.take();
    if (page !== null || method === "HEAD") {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page?.bytes);
      return;
    }
    // Browsers ask again by themselves.
    response.setHeader("refresh", "1");
    say(response, 503, "the run is being prepared");
  }

  #answerEvents({ method }: IncomingMessage, response: ServerResponse): void {
    if (this.#streams.isFull) {
      say(response, 503, "too many pages follow this run");
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    if (method === "HEAD") response.end();
    else this.#streams.add(response, this.#page.version, this.#step);
  }
}

function say(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" }).end(`${reason}\n`);
}
