import { at, first, last } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import { uniforms } from "../../core/random.ts";
import { widthOf } from "../../quantization/width-actions.ts";
import { storedNumbers } from "../../runs/stored-tensors.ts";
import { Limits, type Searcher, type SearchProblem } from "./search-problem.ts";
import type { Decisions, Place } from "./search-space.ts";

/** What is lowered together: the activation of a layer, or all units of it. Indices of places. */
interface Tensor {
  readonly places: readonly number[];
  readonly widths: readonly number[];
}

/** A tensor's next lower width, and what that harms for what it saves. */
interface Step {
  readonly lower: number;
  readonly price: number;
}

interface Trial {
  readonly tensor: number;
  readonly width: number;
}

/** Places that an exchange looks at before it lowers one. */
const LOOKED_AT = 12;

/**
 * The baseline of measured sensitivity: each tensor is tried alone at each lower width, the others at the widest; then
 * those are lowered that harm least for what they save, until the budget is met, or without one as far as the reward should
 * be largest. What is left of the evaluations goes into exchanges: one place at another width, others down where a budget
 * asks for it, kept where that is better. It is a function of the scores that it was told.
 */
export class GreedySearch implements Searcher {
  readonly #problem: SearchProblem;
  readonly #limits: Limits;
  readonly #tensors: readonly Tensor[];
  readonly #trials: readonly Trial[];
  /** Of each place its tensor. */
  readonly #tensorOf: ReadonlyMap<number, number>;
  /** Of each tensor the trials by their width. */
  readonly #trialsOf: readonly ReadonlyMap<number, number>[];
  readonly #scores: number[] = [];
  /** Widths of all places that were best so far, and their reward; under a budget trials do not count. */
  #best: { readonly widths: readonly number[]; readonly reward: number } | null = null;
  #asked: readonly number[] = [];

  constructor(problem: SearchProblem) {
    this.#problem = problem;
    this.#limits = new Limits(problem);
    const { places } = this.#limits;
    const tensors = new Map<string, number[]>();
    for (const [index, { layer, unit }] of places.entries()) {
      const key = `${layer}/${unit === null ? "activation" : "weight"}`;
      tensors.set(key, [...(tensors.get(key) ?? []), index]);
    }
    this.#tensors = [...tensors.values()].map((members) => ({
      places: members,
      widths: at(places, first(members)).widths,
    }));
    // Where there are too few evaluations for all of them, the next lower widths are tried.
    const all = this.#tensors.flatMap(({ widths }, tensor) =>
      widths.slice(0, -1).map((width, rank) => ({ tensor, width, below: widths.length - rank })),
    );
    this.#trials = all.toSorted((one, other) => one.below - other.below).slice(0, Math.floor(problem.episodes / 2));
    this.#tensorOf = new Map(
      this.#tensors.flatMap(({ places }, tensor) => places.map((place) => [place, tensor] as const)),
    );
    this.#trialsOf = this.#tensors.map(
      (_, tensor) =>
        new Map(this.#trials.flatMap((trial, index) => (trial.tensor === tensor ? [[trial.width, index]] : []))),
    );
  }

  ask(): Decisions {
    this.#asked = this.#next();
    return this.#limits.decisions(this.#asked);
  }

  tell(score: number): void {
    const isTrial = this.#scores.length < this.#trials.length;
    this.#scores.push(score);
    if (isTrial && this.#limits.isLimited) return;
    const decisions = this.#limits.decisions(this.#asked);
    const reward = this.#limits.reward(decisions, score);
    if (this.#best === null || reward > this.#best.reward) this.#best = { widths: this.#asked, reward };
  }

  get tensors() {
    return new Map([["scores", storedNumbers(this.#scores)]]);
  }

  restore(tensors: Parameters<Searcher["restore"]>[0]): void {
    for (const score of lookup(tensors, "scores").values) {
      this.ask();
      this.tell(score);
    }
  }

  dispose(): void {}

  #next(): readonly number[] {
    const widest = this.#limits.places.map(({ widths }) => last(widths));
    const trial = this.#trials[this.#scores.length];
    if (trial !== undefined) {
      return this.#with(widest, at(this.#tensors, trial.tensor), trial.width);
    }
    const isFirst = this.#scores.length === this.#trials.length;
    return isFirst || this.#best === null ? this.#lowered(widest, this.#tensors) : this.#exchanged(this.#best.widths);
  }

  /** One place at another width, then others lowered as far as a budget asks for it. */
  #exchanged(widths: readonly number[]): readonly number[] {
    const { seed } = this.#problem;
    const counter = this.#scores.length;
    const [where = 0, what = 0, ...others] = uniforms({ seed, stream: "search/greedy", counter }, 2 + LOOKED_AT);
    const pick = (u: number) => Math.floor(u * widths.length);
    const changed = pick(where);
    const next = [...widths];
    next[changed] = widthOf(what, at(this.#limits.places, changed).widths);
    if (!this.#limits.isLimited) return next;
    const alone = (place: number): Tensor => ({ places: [place], widths: at(this.#limits.places, place).widths });
    const looked = new Set(others.map(pick));
    looked.delete(changed);
    const lowered = this.#lowered(next, Array.from(looked, alone));
    // Those that were looked at may not suffice.
    const all = widths.map((_, place) => place).filter((place) => place !== changed);
    return this.#isPermitted(lowered) ? lowered : this.#lowered(lowered, all.map(alone));
  }

  /** Tensors lowered until the budget is met; without one, to where the reward should be largest. */
  #lowered(widths: readonly number[], tensors: readonly Tensor[]): readonly number[] {
    const { isLimited } = this.#limits;
    let best = { widths, reward: Number.NEGATIVE_INFINITY };
    for (const lower of this.#descent(widths, tensors)) {
      if (isLimited && this.#isPermitted(lower)) return lower;
      const reward = isLimited ? -this.#cost(lower) : this.#expectedReward(lower);
      if (reward > best.reward) best = { widths: lower, reward };
    }
    return best.widths;
  }

  /** The widths as they are, then lowered a width of one tensor at a time: that which harms least for what it saves. */
  *#descent(widths: readonly number[], tensors: readonly Tensor[]): Generator<readonly number[]> {
    let current = widths;
    const steps = tensors.map((tensor) => this.#step(current, tensor, this.#cost(current)));
    for (;;) {
      yield current;
      const cheapest = steps.reduce((least, { price }, index) => (price < at(steps, least).price ? index : least), 0);
      const tensor = tensors[cheapest];
      if (tensor === undefined || at(steps, cheapest).price === Number.POSITIVE_INFINITY) return;
      current = this.#with(current, tensor, at(steps, cheapest).lower);
      const cost = this.#cost(current);
      for (const [index, other] of tensors.entries()) {
        if (other === tensor || this.#areBound(other, tensor)) steps[index] = this.#step(current, other, cost);
      }
    }
  }

  /** The next lower width of a tensor, and its harm for what it saves; infinite where there is none, or it saves nothing. */
  #step(current: readonly number[], tensor: Tensor, cost: number): Step {
    const place = first(tensor.places);
    const width = at(current, place);
    const lower = tensor.widths.findLast((other) => other < width);
    if (lower === undefined) return { lower: width, price: Number.POSITIVE_INFINITY };
    const saved = cost - this.#cost(this.#with(current, tensor, lower));
    const harm = this.#harm(place, lower) - this.#harm(place, width);
    return { lower, price: saved > 0 ? (harm * tensor.places.length) / saved : Number.POSITIVE_INFINITY };
  }

  /** Whether what one saves depends on the width of the other: bits of weights are multiplied by those that they meet. */
  #areBound(one: Tensor, other: Tensor): boolean {
    const place = ({ places }: Tensor) => at(this.#limits.places, first(places));
    return this.#reads(place(one), place(other)) || this.#reads(place(other), place(one));
  }

  #reads({ layer, unit }: Place, activation: Place): boolean {
    const read = at(this.#problem.space.layers, layer).activation;
    const isPair = unit !== null && activation.unit === null;
    return isPair && "decidedBy" in read && read.decidedBy === activation.layer;
  }

  #with(widths: readonly number[], { places }: Tensor, width: number): readonly number[] {
    const next = [...widths];
    for (const place of places) next[place] = this.#atLeast(place, width);
    return next;
  }

  /** Of a policy that was not measured: as if what each place takes off the score added up. */
  #expectedReward(widths: readonly number[]): number {
    const harm = widths.reduce((sum, width, place) => sum + this.#harm(place, width), 0);
    return this.#limits.reward(this.#limits.decisions(widths), this.#problem.float.score - harm);
  }

  /** A width of a tensor at one of its places, which may have none as low. */
  #atLeast(place: number, width: number): number {
    return Math.max(width, first(at(this.#limits.places, place).widths));
  }

  /** What a width takes off the score, of a place: its share of what it takes where the whole tensor has it. */
  #harm(place: number, width: number): number {
    const tensor = lookup(this.#tensorOf, place);
    const { places, widths } = at(this.#tensors, tensor);
    if (width === last(widths)) return 0;
    // One that was not tried harms as the next higher that was.
    const tried = at(this.#trialsOf, tensor).get(width);
    if (tried === undefined) return this.#harm(place, at(widths, widths.indexOf(width) + 1));
    return (this.#problem.float.score - at(this.#scores, tried)) / places.length;
  }

  #cost(widths: readonly number[]): number {
    return this.#problem.costs.cost(this.#limits.decisions(widths));
  }

  #isPermitted(widths: readonly number[]): boolean {
    return this.#limits.isPermitted(this.#limits.decisions(widths));
  }
}
