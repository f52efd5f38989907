import { at } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import type { StoredTensor } from "../../runs/safetensors.ts";
import { putUnder, storedNumbers, takeUnder } from "../../runs/stored-tensors.ts";
import type { Measured } from "./reward.ts";
import { Limits, type Searcher, type SearchProblem } from "./search-problem.ts";
import { type Decisions, widthsAt } from "./search-space.ts";

/** A policy that was measured. */
interface Episode extends Measured {
  readonly reward: number;
}

/** The best of a search so far. */
export interface Found extends Episode {
  readonly decisions: Decisions;
  /** Counted from 0. */
  readonly episode: number;
  /** Mean bits of each layer's kernels that were aimed at; none where the search sets no goals. */
  readonly goals: readonly number[];
}

/** A search with what it came to: every episode, and the best policy of those that the problem permits. */
export class TrackedSearch {
  readonly #problem: SearchProblem;
  readonly #limits: Limits;
  readonly #searcher: Searcher;
  readonly #episodes: Episode[] = [];
  #best: Found | null = null;
  #asked: Decisions | null = null;

  constructor(problem: SearchProblem, searcher: Searcher) {
    this.#problem = problem;
    this.#limits = new Limits(problem);
    this.#searcher = searcher;
  }

  get episodes(): readonly Episode[] {
    return this.#episodes;
  }

  /** Null as long as nothing was measured that the problem permits. */
  get best(): Found | null {
    return this.#best;
  }

  get isDone(): boolean {
    return this.#episodes.length >= this.#problem.episodes;
  }

  /** The next policy to measure; `tell` hears what it came to. */
  ask(): Decisions {
    this.#asked = this.#searcher.ask();
    return this.#asked;
  }

  tell(score: number): void {
    if (this.#asked === null) throw new Error("a search is told of what it did not ask for");
    const decisions = this.#asked;
    const found = this.#found(decisions, score, this.#episodes.length, this.#searcher.goals ?? []);
    this.#searcher.tell(score);
    this.#asked = null;
    if (this.#limits.isPermitted(decisions) && isBetter(found, this.#best)) this.#best = found;
    this.#episodes.push({ score, cost: found.cost, reward: found.reward });
  }

  get tensors(): ReadonlyMap<string, StoredTensor> {
    const best = this.#best;
    const widths = best === null ? [] : widthsAt(this.#limits.places, best.decisions);
    const episodes = this.#episodes.flatMap(({ score, cost, reward }) => [score, cost, reward]);
    return new Map([
      ["episodes", storedNumbers(episodes)],
      ["best", storedNumbers(best === null ? [] : [best.episode, ...widths])],
      ["goals", storedNumbers(best?.goals ?? [])],
      ...putUnder("searcher/", this.#searcher.tensors),
    ]);
  }

  /** Takes what `tensors` gave, and goes on as that search would. */
  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    const told = lookup(tensors, "episodes").values;
    for (let index = 0; index < told.length; index += 3) {
      this.#episodes.push({ score: at(told, index), cost: at(told, index + 1), reward: at(told, index + 2) });
    }
    const [episode, ...widths] = lookup(tensors, "best").values;
    if (episode !== undefined) {
      const { score } = at(this.#episodes, episode);
      const goals = Array.from(lookup(tensors, "goals").values);
      this.#best = this.#found(this.#limits.decisions(widths), score, episode, goals);
    }
    this.#searcher.restore(takeUnder("searcher/", tensors));
  }

  dispose(): void {
    this.#searcher.dispose();
  }

  #found(decisions: Decisions, score: number, episode: number, goals: readonly number[]): Found {
    const cost = this.#problem.costs.cost(decisions);
    return { decisions, score, cost, reward: this.#limits.reward(decisions, score), episode, goals };
  }
}

/** A larger reward, or the same for less. */
const isBetter = (one: Found, other: Found | null): boolean =>
  other === null || one.reward > other.reward || (one.reward === other.reward && one.cost < other.cost);
