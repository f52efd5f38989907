import { at, first, last } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import type { Ops } from "../../engine/ops.ts";
import { actionOf, widthOf } from "../../quantization/width-actions.ts";
import type { StoredTensor } from "../../runs/safetensors.ts";
import { putUnder, storedNumbers, takeUnder } from "../../runs/stored-tensors.ts";
import { layerStateSize } from "./layer-state.ts";
import { Learner } from "./learner.ts";
import { Limits, type Searcher, type SearchProblem } from "./search-problem.ts";
import { type Decisions, type Place, widthsAt } from "./search-space.ts";

/** A layer's own numbers, the last action in shares of the widest, and whether weights are decided. */
const STATE = layerStateSize + 2;

/** Layer-wise widths by one agent: HAQ (Wang et al., CVPR 2019). Weights and activations of a layer are decided in turn. */
export class LayerSearch implements Searcher {
  readonly #problem: SearchProblem;
  readonly #limits: Limits;
  /** Decisions of an episode: of each layer the weights, then what it reads. */
  readonly #steps: readonly Place[];
  readonly #learner: Learner;
  #episode = 0;
  /** The action of each step as it was taken, and what became of them. */
  #asked: { readonly actions: readonly number[]; readonly decisions: Decisions } | null = null;

  constructor(ops: Ops, problem: SearchProblem) {
    const { seed, warmup } = problem;
    this.#problem = problem;
    this.#limits = new Limits(problem);
    this.#steps = this.#limits.places.toReversed();
    this.#learner = new Learner(ops, {
      ...{ name: "search/layers", seed, warmup, steps: this.#steps.length, bootstraps: true },
      ...{ state: STATE, action: 1 },
    });
  }

  ask(): Decisions {
    const actions: number[] = [];
    const widths: number[] = [];
    for (const [index, step] of this.#steps.entries()) {
      const moment = { episode: this.#episode, step: index };
      const action = at(this.#learner.explore(this.#state(index, widths), moment), 0);
      actions.push(action);
      widths.push(widthOf(action, step.widths));
    }
    const decisions = this.#limits.permit(this.#limits.decisions(widths.toReversed()));
    this.#asked = { actions, decisions };
    return decisions;
  }

  tell(score: number): void {
    if (this.#asked === null) throw new Error("a search is told of what it did not ask for");
    const { actions, decisions } = this.#asked;
    const reward = this.#limits.reward(decisions, score);
    const widths = widthsAt(this.#limits.places, decisions).toReversed();
    for (const [index, step] of this.#steps.entries()) {
      const drawn = at(actions, index);
      const width = at(widths, index);
      // What a walk has changed was not what the agent did.
      const action = widthOf(drawn, step.widths) === width ? drawn : actionOf(width, step.widths);
      const isLast = index === this.#steps.length - 1;
      const next = isLast ? null : this.#state(index + 1, widths);
      this.#learner.remember({ state: this.#state(index, widths), action: [action], reward, next });
    }
    if (this.#episode >= this.#problem.warmup) this.#learner.learn();
    this.#episode++;
    this.#asked = null;
  }

  get tensors(): ReadonlyMap<string, StoredTensor> {
    return new Map([["episode", storedNumbers([this.#episode])], ...putUnder("learner/", this.#learner.tensors)]);
  }

  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    this.#episode = first(lookup(tensors, "episode").values);
    this.#learner.restore(takeUnder("learner/", tensors));
  }

  dispose(): void {
    this.#learner.dispose();
  }

  /** What the agent sees at a step, with the widths of those before it. */
  #state(index: number, widths: readonly number[]): Float32Array {
    const step = at(this.#steps, index);
    const state = new Float32Array(STATE);
    state.set(at(this.#problem.space.layers, step.layer).state);
    state[layerStateSize] = index === 0 ? 1 : at(widths, index - 1) / last(at(this.#steps, index - 1).widths);
    state[layerStateSize + 1] = step.unit === null ? 0 : 1;
    return state;
  }
}
