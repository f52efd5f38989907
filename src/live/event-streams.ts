import type { ServerResponse } from "node:http";

/** Streams at a time; more than this are no readers. */
const most = 16;

/** Bytes that a client may leave unread. */
const patience = 16_384;

/** Milliseconds between two signs of life. They find clients that vanished, and keep the connection from timing out. */
const beat = 10_000;

/** The server-sent events of all who follow. A client that reads too slowly is let go: it asks again when it can. */
export class EventStreams {
  readonly #open = new Set<ServerResponse>();
  readonly #heart = setInterval(() => this.#write(": still here\n\n"), beat).unref();
  #emptied: (() => void) | null = null;

  get isFull(): boolean {
    return this.#open.size >= most;
  }

  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  /** Keeps `response` open and says which state there is, and how far training is. Its head has been written. */
  add(response: ServerResponse, version: number, step: string | null): void {
    this.#open.add(response);
    response.on("close", () => {
      this.#open.delete(response);
      if (this.isEmpty) this.#emptied?.();
    });
    response.write(`retry: 2000\n${event("state", version)}`);
    if (step !== null) response.write(event("step", step));
  }

  send(kind: "state" | "end", version: number): void {
    this.#write(event(kind, version));
  }

  /** @param text One line. */
  sendStep(text: string): void {
    this.#write(event("step", text));
  }

  /** Until every client has left. */
  async empty(): Promise<void> {
    clearInterval(this.#heart);
    if (!this.isEmpty) await new Promise<void>((resolve) => (this.#emptied = resolve));
  }

  #write(text: string): void {
    for (const response of this.#open) {
      if (response.writableLength > patience) response.destroy();
      else response.write(text);
    }
  }
}

const event = (kind: "state" | "step" | "end", data: number | string): string => `event: ${kind}\ndata: ${data}\n\n`;
