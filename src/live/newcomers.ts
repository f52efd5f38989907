import type { Socket } from "node:net";

/** Connections at a time that have not shown that they may read. */
const most = 16;

/**
 * Connections that have not asked for the page by its own address yet. Who only connects, or asks slowly, takes no place
 * from those who read: of too many, the one that has waited longest goes.
 */
export class Newcomers {
  readonly #waiting = new Set<Socket>();

  add(socket: Socket): void {
    this.#waiting.add(socket);
    socket.once("close", () => this.#waiting.delete(socket));
    const [oldest] = this.#waiting;
    if (this.#waiting.size > most) oldest?.destroy();
  }

  /** It reads, and counts here no more. */
  admit(socket: Socket): void {
    this.#waiting.delete(socket);
  }
}
