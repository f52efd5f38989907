import { first } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import { type RandomKey, uniforms } from "../../core/random.ts";
import type { Ops } from "../../engine/ops.ts";
import type { StoredTensor } from "../../runs/safetensors.ts";
import { putUnder, storedNumbers, takeUnder } from "../../runs/stored-tensors.ts";
import { type AgentOptions, DdpgAgent, haqSettings } from "./ddpg-agent.ts";
import { noiseAt, truncatedNormal } from "./exploration.ts";
import { type Remembered, Replay, type Transition } from "./replay.ts";

/** Transitions of an update, and episodes whose transitions are kept (HAQ). */
const BATCH = 64;
const REMEMBERED = 128;

export interface LearnerOptions extends Pick<AgentOptions, "name" | "seed" | "state" | "action"> {
  /** Steps of an episode, each with a transition, and updates that follow it. */
  readonly steps: number;
  /** Episodes before it learns anything. */
  readonly warmup: number;
  /** Whether it asks what comes next; else rewards are whole returns. */
  readonly bootstraps: boolean;
  /** Sizes of the nets' hidden layers; HAQ's unless given. */
  readonly hidden?: AgentOptions["hidden"];
  /** What else is remembered with a transition: so many numbers. */
  readonly note?: number;
}

/** Where a decision stands in a search, both counted from 0. */
export interface Moment {
  readonly episode: number;
  readonly step: number;
}

/** An agent that explores, with what it remembers: it learns from transitions that are drawn at random. */
export class Learner {
  readonly #options: LearnerOptions;
  readonly #agent: DdpgAgent;
  readonly #replay: Replay;
  #updates = 0;

  constructor(ops: Ops, options: LearnerOptions) {
    this.#options = options;
    const { state, action, steps, bootstraps, note = 0 } = options;
    this.#agent = new DdpgAgent(ops, { ...haqSettings, ...options, discount: bootstraps ? haqSettings.discount : 0 });
    this.#replay = new Replay({ capacity: REMEMBERED * steps, state, action, note, keepsNext: bootstraps });
  }

  /** What it would do in each state: [count, action]. */
  act(states: Float32Array): Float32Array {
    return this.#agent.act(states);
  }

  /** What it does in a state: anything in the warm-up, and afterwards what it would do, with noise that becomes less. */
  explore(state: Float32Array, moment: Moment): readonly number[] {
    const { action, warmup } = this.#options;
    if (moment.episode < warmup) return Array.from(uniforms(this.#key("first", moment), action));
    const noise = noiseAt(moment.episode, warmup);
    return Array.from(this.#agent.act(state), (mean, part) => this.around(mean, noise, moment, part));
  }

  /** A number in [0, 1], drawn around another one. */
  around(mean: number, deviation: number, moment: Moment, part = 0): number {
    return truncatedNormal(this.#key(`noise/${part}`, moment), mean, deviation);
  }

  remember(transition: Transition): void {
    this.#replay.add(transition);
  }

  /** The updates that follow an episode; `actionsOf` gives the actions of a batch that count as taken. */
  learn(actionsOf: (batch: Remembered) => Float32Array = ({ actions }) => actions): void {
    const { seed, name, steps } = this.#options;
    for (let step = 0; step < steps; step++) {
      const batch = this.#replay.draw({ seed, stream: `${name}/replay`, counter: this.#updates++ }, BATCH);
      this.#agent.update({ ...batch, actions: actionsOf(batch) });
    }
  }

  get tensors(): ReadonlyMap<string, StoredTensor> {
    return new Map([
      ["updates", storedNumbers([this.#updates])],
      ...putUnder("agent/", this.#agent.tensors),
      ...putUnder("replay/", this.#replay.tensors),
    ]);
  }

  /** Takes what `tensors` gave. */
  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    this.#updates = first(lookup(tensors, "updates").values);
    this.#agent.restore(takeUnder("agent/", tensors));
    this.#replay.restore(takeUnder("replay/", tensors));
  }

  dispose(): void {
    this.#agent.dispose();
  }

  #key(of: string, { episode, step }: Moment): RandomKey {
    const { seed, name, steps } = this.#options;
    return { seed, stream: `${name}/${of}`, counter: episode * steps + step };
  }
}
