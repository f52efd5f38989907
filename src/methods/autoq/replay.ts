import { first } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import { type RandomKey, uniforms } from "../../core/random.ts";
import type { StoredTensor } from "../../runs/safetensors.ts";
import { storedNumbers } from "../../runs/stored-tensors.ts";
import type { Transitions } from "./ddpg-agent.ts";

/** What happened at one step. */
export interface Transition {
  readonly state: Float32Array;
  readonly action: ArrayLike<number>;
  readonly reward: number;
  /** null: the episode ends, or nobody asks what comes next. */
  readonly next: Float32Array | null;
  /** What else belongs to it. */
  readonly note?: ArrayLike<number>;
}

/** Transitions with what else belongs to them: [count, note]. */
export interface Remembered extends Transitions {
  readonly notes: Float32Array;
}

export interface ReplayOptions {
  /** Transitions that it holds. */
  readonly capacity: number;
  /** Numbers of a state, of an action, and of what else belongs to a transition. */
  readonly state: number;
  readonly action: number;
  readonly note: number;
  /** Whether next states are kept. */
  readonly keepsNext: boolean;
}

/** The last transitions of an agent: a ring, in which each new one takes the place of the oldest. */
export class Replay {
  readonly #options: ReplayOptions;
  readonly #state: Column;
  readonly #action: Column;
  readonly #reward: Column;
  readonly #continues: Column;
  readonly #next: Column;
  readonly #note: Column;
  /** One transition a row. */
  readonly #rows: Float32Array;
  readonly #width: number;
  #added = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
    let from = 0;
    const column = (width: number): Column => {
      from += width;
      return { from: from - width, width };
    };
    this.#state = column(options.state);
    this.#action = column(options.action);
    this.#reward = column(1);
    this.#continues = column(1);
    this.#next = column(options.keepsNext ? options.state : 0);
    this.#note = column(options.note);
    this.#width = from;
    this.#rows = new Float32Array(options.capacity * from);
  }

  add({ state, action, reward, next, note = [] }: Transition): void {
    const row = (this.#added++ % this.#options.capacity) * this.#width;
    this.#rows.fill(0, row, row + this.#width);
    this.#rows.set(state, row + this.#state.from);
    this.#rows.set(action, row + this.#action.from);
    this.#rows[row + this.#reward.from] = reward;
    this.#rows[row + this.#continues.from] = next === null ? 0 : 1;
    if (next !== null) this.#rows.set(next, row + this.#next.from);
    this.#rows.set(note, row + this.#note.from);
  }

  /** So many of its transitions, each chosen at random. */
  draw(key: RandomKey, count: number): Remembered {
    const places = Uint32Array.from(uniforms(key, count), (u) => Math.floor(u * this.#count));
    return {
      count,
      states: this.#gather(places, this.#state),
      actions: this.#gather(places, this.#action),
      rewards: this.#gather(places, this.#reward),
      continues: this.#gather(places, this.#continues),
      nextStates: this.#gather(places, this.#next),
      notes: this.#gather(places, this.#note),
    };
  }

  get tensors(): ReadonlyMap<string, StoredTensor> {
    const filled = this.#rows.slice(0, this.#count * this.#width);
    return new Map([
      ["rows", { shape: [this.#count, this.#width], values: filled }],
      ["added", storedNumbers([this.#added])],
    ]);
  }

  /** Takes what `tensors` gave. */
  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    this.#rows.set(lookup(tensors, "rows").values);
    this.#added = first(lookup(tensors, "added").values);
  }

  get #count(): number {
    return Math.min(this.#added, this.#options.capacity);
  }

  #gather(places: Uint32Array, { from, width }: Column): Float32Array {
    const values = new Float32Array(places.length * width);
    places.forEach((place, index) => {
      const start = place * this.#width + from;
      values.set(this.#rows.subarray(start, start + width), index * width);
    });
    return values;
  }
}

/** Where a part of a transition stands in its row. */
interface Column {
  readonly from: number;
  readonly width: number;
}
