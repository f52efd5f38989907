import { at, last } from "../../core/elements.ts";
import { mean } from "../../core/mean.ts";
import { tuple } from "../../core/tuple.ts";
import type { Ops } from "../../engine/ops.ts";
import { widthOf } from "../../quantization/width-actions.ts";
import type { StoredTensor } from "../../runs/safetensors.ts";
import type { KernelAgent } from "./kernel-agent.ts";
import { goalState, goalStateSize, kernelStateSize, kernelStates, type LayerDecision } from "./kernel-states.ts";
import { Learner } from "./learner.ts";
import { goalsBetween, likeliestGoal } from "./relabel-goal.ts";
import type { Remembered } from "./replay.ts";
import type { SearchProblem } from "./search-problem.ts";
import { bitsPerKernel, type SearchSpace } from "./search-space.ts";

/** Of a layer of many units, so many tell which goal they follow. */
const ASKED_UNITS = 16;

/** In [0, 1]: for the activation's bits, and the goal as a share of the widest. */
export type GoalAction = readonly [activation: number, goal: number];

/** What came of a layer in an episode. */
interface LayerOutcome {
  /** What was decided for the layer before it. */
  readonly before: LayerDecision | null;
  readonly action: GoalAction;
  /** Bits of what the layer reads, in shares of the widest. */
  readonly activation: number;
  /** What the layer's units did for the goal. */
  readonly kernels: readonly number[];
  readonly reward: number;
}

/** The high-level controller: for each layer the activation's bits, and a goal for the mean bits of its kernels. */
export class GoalAgent {
  readonly #space: SearchSpace;
  readonly #learner: Learner;
  /** Of each transition the layer, the activation's bits and what the units did. */
  readonly #note: number;

  constructor(ops: Ops, { space, seed, warmup }: SearchProblem) {
    this.#space = space;
    this.#note = 2 + Math.max(...space.layers.map(({ units }) => units.length));
    this.#learner = new Learner(ops, {
      ...{ name: "search/goals", seed, warmup, steps: space.layers.length, bootstraps: false },
      ...{ state: goalStateSize, action: 2, note: this.#note },
    });
  }

  decide(episode: number, layer: number, before: LayerDecision | null): GoalAction {
    return tuple(this.#learner.explore(goalState(this.#space, layer, before), { episode, step: layer }), 2);
  }

  remember(layer: number, { before, action, activation, kernels, reward }: LayerOutcome): void {
    const state = goalState(this.#space, layer, before);
    this.#learner.remember({ state, action, reward, next: null, note: [layer, activation, ...kernels] });
  }

  /** An update for each layer, with the goals that the kernels now seem to have followed. */
  learn(kernels: KernelAgent): void {
    this.#learner.learn((batch) => this.#relabelled(batch, kernels));
  }

  get tensors(): ReadonlyMap<string, StoredTensor> {
    return this.#learner.tensors;
  }

  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    this.#learner.restore(tensors);
  }

  dispose(): void {
    this.#learner.dispose();
  }

  /** Actions [count, 2] with the likeliest goals: all candidates of all transitions in one pass of the kernels' actor. */
  #relabelled({ count, actions, notes }: Remembered, kernels: KernelAgent): Float32Array {
    const asked = Array.from({ length: count }, (_, row) =>
      this.#candidates(notes.subarray(row * this.#note, (row + 1) * this.#note), at(actions, 2 * row + 1)),
    );
    const rows = asked.reduce((sum, { states }) => sum + states.length, 0);
    const states = new Float32Array(rows);
    asked.reduce((from, one) => {
      states.set(one.states, from);
      return from + one.states.length;
    }, 0);
    const would = kernels.act(states);
    const relabelled = actions.slice();
    asked.reduce((from, { goals, did, states }, index) => {
      const to = from + states.length / kernelStateSize;
      relabelled[2 * index + 1] = likeliestGoal(goals, did, would.subarray(from, to));
      return to;
    }, 0);
    return relabelled;
  }

  /** The goals that a transition may have had, and what the kernels would see under each. */
  #candidates(note: Float32Array, original: number) {
    const [layer = 0, activation = 0, ...noted] = note;
    const { layers, weightWidths } = this.#space;
    const { units } = at(layers, layer);
    const all = noted.slice(0, units.length);
    const bits = units.map(({ widths }, unit) => widthOf(at(all, unit), widths));
    const every = Math.ceil(units.length / ASKED_UNITS);
    const asked = Array.from(all.keys()).filter((unit) => unit % every === 0);
    const did = asked.map((unit) => at(all, unit));
    const goals = goalsBetween(original, mean(bitsPerKernel(units, bits)) / last(weightWidths));
    const states = kernelStates(this.#space, layer, { goals, activation }, bits, asked);
    return { goals, did, states };
  }
}
