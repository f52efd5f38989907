import { type RandomKey, uniforms } from "../../core/random.ts";
import type { StoredTensor } from "../../runs/safetensors.ts";
import type { Transitions } from "./ddpg-agent.ts";

/** Transitions of an update, and episodes whose transitions are kept (HAQ). */
export const BATCH = 64;
export const REMEMBERED = 128;

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

export interface ReplayOptions {
  /** Transitions that it holds. */
  readonly capacity: number;
  /** Numbers of a state, of an action, and of what else belongs to a transition. */
  readonly state: number;
  readonly action: number;
  readonly note?: number;
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
    this.#note = column(options.note ?? 0);
    this.#width = from;
    this.#rows = new Float32Array(options.capacity * from);
  }

  get count(): number {
    return Math.min(this.#added, this.#options.capacity);
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

  /** Places of the ring, each chosen at random. */
  draw(key: RandomKey, count: number): Uint32Array {
    return Uint32Array.from(uniforms(key, count), (u) => Math.floor(u * this.count));
  }

  /** The transitions at these places. */
  at(places: Uint32Array): Transitions {
    return {
      count: places.length,
      states: this.#gather(places, this.#state),
      actions: this.#gather(places, this.#action),
      rewards: this.#gather(places, this.#reward),
      continues: this.#gather(places, this.#continues),
      nextStates: this.#gather(places, this.#next),
    };
  }

  /** What else belongs to the transition at a place. */
  noteAt(place: number): Float32Array {
    return this.#gather(Uint32Array.of(place), this.#note);
  }

  get tensors(): ReadonlyMap<string, StoredTensor> {
    const filled = this.#rows.slice(0, this.count * this.#width);
    return new Map<string, StoredTensor>([
      ["rows", { shape: [this.count, this.#width], values: filled }],
      ["added", { shape: [1], values: Float64Array.of(this.#added) }],
    ]);
  }

  /** Takes what `tensors` gave. */
  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    this.#rows.set(tensors.get("rows")?.values ?? []);
    this.#added = tensors.get("added")?.values[0] ?? 0;
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
