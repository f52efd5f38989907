import type { RunRecord } from "../runs/record.ts";

/** After drawing there is rest for so many times as long: reports are worth less than training. */
const restShare = 5;

/** In milliseconds. Runs with very short epochs are not drawn more often; on a busy machine a page is not old for long. */
const rests = { least: 500, most: 10_000 } as const;

export interface DrawnPage {
  readonly version: number;
  readonly bytes: Buffer;
}

/** The newest state of a run and its page, which is drawn when somebody asks for it, once for each state at most. */
export class CurrentPage {
  readonly #render: (record: RunRecord, version: number) => string;
  readonly #now: () => number;
  #record: RunRecord | null = null;
  #version = 0;
  #drawn: DrawnPage | null = null;
  #restsUntil = 0;

  /** @param now Milliseconds since 1970. */
  constructor(render: (record: RunRecord, version: number) => string, now: () => number = Date.now) {
    this.#render = render;
    this.#now = now;
  }

  /** Versions grow, also over processes that serve one page after the other. */
  show(record: RunRecord): void {
    this.#record = record;
    this.#version = Math.max(this.#version + 1, this.#now());
  }

  /** The version of what `take` gives now. */
  get version(): number {
    return this.#drawn !== null && this.rest > 0 ? this.#drawn.version : this.#version;
  }

  /** Milliseconds until a page may be drawn. */
  get rest(): number {
    return Math.max(0, this.#restsUntil - this.#now());
  }

  /** The newest page, or the last drawn one while drawing rests; null before the first state. */
  take(): DrawnPage | null {
    if (this.#record === null || this.#drawn?.version === this.version) return this.#drawn;
    const began = this.#now();
    const version = this.#version;
    this.#drawn = { version, bytes: Buffer.from(this.#render(this.#record, version)) };
    const ended = this.#now();
    this.#restsUntil = ended + Math.min(rests.most, Math.max(rests.least, restShare * (ended - began)));
    return this.#drawn;
  }

  /** The page of the last state, at once. */
  takeLast(): DrawnPage | null {
    this.#restsUntil = 0;
    return this.take();
  }
}
