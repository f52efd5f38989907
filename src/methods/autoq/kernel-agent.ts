import { at, last } from "../../core/elements.ts";
import type { Ops } from "../../engine/ops.ts";
import { actionBetween, widthOf } from "../../quantization/width-actions.ts";
import type { StoredTensor } from "../../runs/safetensors.ts";
import { kernelState, kernelStateSize, kernelStates, type LayerDecision } from "./kernel-states.ts";
import { Learner } from "./learner.ts";
import type { SearchProblem } from "./search-problem.ts";
import type { SearchSpace } from "./search-space.ts";

/** Fewer than HAQ's 300: this agent is asked some ten thousand times in an update of the other one, to relabel goals. */
const HIDDEN = [128, 128] as const;

/** Of kernels around their goal, while nothing is learned. */
const WARMUP_NOISE = 0.25;

/** What was done for the units of a layer: actions in [0, 1], and the bits that they stand for. */
export interface UnitActions {
  readonly actions: readonly number[];
  readonly bits: readonly number[];
}

/** The low-level controller: the bits of each unit of a layer, one after the other, given the layer's goal. */
export class KernelAgent {
  readonly #space: SearchSpace;
  readonly #warmup: number;
  readonly #learner: Learner;
  /** Of each layer, where its units begin among all. */
  readonly #firstUnits: readonly number[];

  constructor(ops: Ops, { space, seed, warmup }: SearchProblem) {
    this.#space = space;
    this.#warmup = warmup;
    let steps = 0;
    this.#firstUnits = space.layers.map(({ units }) => {
      steps += units.length;
      return steps - units.length;
    });
    this.#learner = new Learner(ops, {
      ...{ name: "search/kernels", seed, warmup, steps, bootstraps: false },
      ...{ state: kernelStateSize, action: 1, hidden: HIDDEN },
    });
  }

  /** What it does in an episode: in the warm-up at random around the goal. */
  decide(episode: number, layer: number, decision: LayerDecision): UnitActions {
    const { layers, weightWidths } = this.#space;
    const aim = decision.goal * last(weightWidths);
    const actions: number[] = [];
    const bits: number[] = [];
    for (const [unit, { widths }] of at(layers, layer).units.entries()) {
      const moment = { episode, step: at(this.#firstUnits, layer) + unit };
      const action =
        episode < this.#warmup
          ? this.#learner.around(actionBetween(aim, widths), WARMUP_NOISE, moment)
          : at(this.#learner.explore(kernelState(this.#space, layer, decision, bits), moment), 0);
      actions.push(action);
      bits.push(widthOf(action, widths));
    }
    return { actions, bits };
  }

  /** What it would do without noise in each state: one action a row. */
  act(states: Float32Array): Float32Array {
    return this.#learner.act(states);
  }

  /** The same return for every unit of a layer. */
  remember(layer: number, { goal, activation }: LayerDecision, { actions, bits }: UnitActions, reward: number): void {
    const states = kernelStates(this.#space, layer, { goals: [goal], activation }, bits);
    for (const [unit, action] of actions.entries()) {
      const state = states.subarray(unit * kernelStateSize, (unit + 1) * kernelStateSize);
      this.#learner.remember({ state, action: [action], reward, next: null });
    }
  }

  /** An update for each unit of an episode. */
  learn(): void {
    this.#learner.learn();
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
}
