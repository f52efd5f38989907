import { at, first, last } from "../../core/elements.ts";
import type { Widths } from "../../quantization/width-actions.ts";
import type { StoredTensor } from "../../runs/safetensors.ts";
import type { SearchObjective } from "../method.ts";
import { requireReachable, walkIntoBudget } from "./budget-walk.ts";
import type { CostModel } from "./cost-model.ts";
import { extrinsicReward, type Reference } from "./reward.ts";
import { type Decisions, decisionsOf, type Place, placesOf, type SearchSpace, widthsAt } from "./search-space.ts";

/** What is searched for, and how long. */
export interface SearchProblem {
  readonly space: SearchSpace;
  readonly costs: CostModel;
  readonly objective: SearchObjective;
  /** Policies that are measured. */
  readonly episodes: number;
  /** Those before anything is learned. */
  readonly warmup: number;
  /** Share of the extrinsic reward in that of kernels, from the first episode to the last. */
  readonly zeta: { readonly from: number; readonly to: number };
  readonly seed: number;
  readonly float: Reference;
}

/**
 * A search: it is asked for a policy and told what that one came to, again and again. What it asks for is a function of
 * the problem and of what it was told.
 */
export interface Searcher {
  ask(): Decisions;
  /** @param score Of what was asked for last: larger is better. */
  tell(score: number): void;
  /** Mean bits of each layer's kernels that it aimed at in what was asked for last; only where it sets goals. */
  readonly goals?: readonly number[];
  /** Everything it has learned between a `tell` and an `ask`, by name. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Takes what `tensors` gave, and goes on as that search would. */
  restore(tensors: ReadonlyMap<string, StoredTensor>): void;
  dispose(): void;
}

/** How a problem limits what may be asked for. */
export class Limits {
  readonly places: readonly Place[];
  /** Those that activations may have: the widest alone where fewer bits would save nothing. */
  readonly activationWidths: Widths;
  readonly #problem: SearchProblem;

  /** @throws UserError where no policy meets the budget. */
  constructor(problem: SearchProblem) {
    const { space, costs } = problem;
    this.#problem = problem;
    this.activationWidths = costs.countsActivations ? space.activationWidths : [last(space.activationWidths)];
    this.places = placesOf({ ...space, activationWidths: this.activationWidths });
    if (this.isLimited) requireReachable(this.#walk);
  }

  /** The decisions with widths that their places may have, walked into the budget where there is one. */
  permit(decisions: Decisions): Decisions {
    const asked = widthsAt(this.places, decisions);
    const raised = asked.map((width, index) => Math.max(width, first(at(this.places, index).widths)));
    const permitted = this.isLimited ? walkIntoBudget(raised, this.#walk) : raised;
    return permitted.every((width, index) => width === asked[index]) ? decisions : this.decisions(permitted);
  }

  /** Those with these widths at the places. */
  decisions(widths: readonly number[]): Decisions {
    return decisionsOf(this.#problem.space, this.places, widths);
  }

  isPermitted(decisions: Decisions): boolean {
    return !this.isLimited || this.#problem.costs.cost(decisions) <= this.#problem.costs.limit;
  }

  reward(decisions: Decisions, score: number): number {
    const { objective, costs, float } = this.#problem;
    return extrinsicReward(objective, { score, cost: costs.cost(decisions) }, float);
  }

  /** Whether there is a budget. */
  get isLimited(): boolean {
    return this.#problem.objective.name === "resource-constrained";
  }

  get #walk() {
    const { costs } = this.#problem;
    const cost = (widths: readonly number[]) => costs.cost(this.decisions(widths));
    return { places: this.places, cost, limit: costs.limit };
  }
}
