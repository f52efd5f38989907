import { at } from "../core/elements.ts";
import { tuple } from "../core/tuple.ts";
import type { Budget } from "../methods/budget.ts";
import { fitBudget } from "../methods/fit-budget.ts";
import type { Model } from "./model.ts";
import type { PriorStrength } from "./prior-strength.ts";

/** Where in its budget a run is steered to: what fitting the last gates leaves most often ends above 85 %. */
const AIM = 0.95;
/** The cost falls to the aim, evenly in its logarithm, over this part of the gates' learning; the rest is landing. */
const RAMP = 0.5;
/** Relative distance from the setpoint that is left alone. */
const DEADBAND = 0.01;
/** Steps between two changes. */
const PERIOD = 10;
/** Change of log mu that is added up per period, by relative distance. */
const INTEGRAL = 0.2;
/**
 * It rises no faster: Adam knows a gate's gradients of the last thousand steps, and takes many times its usual step
 * where they grow faster than it learns of it, so that all gates would close at once.
 */
const FASTEST_RISE = 0.06;
/** Change of log mu at once, by relative distance: below the course more is at stake, what closes may be lost. */
const PROPORTIONAL = { above: 4, below: 10 } as const;
const LARGEST_PUSH = 0.5;
/** mu never leaves these, the second one in units of its start: nothing is added up there that would have to be undone. */
const LOWEST = 1e-5;
const HIGHEST = 20;
/** The least start that its ceiling is counted from: the paper's runs lie between 0.01 and 0.2. */
const USUAL = 0.1;

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

/**
 * A prior strength that is steered so that the run ends within a budget: dual ascent on the constraint cost <= limit in
 * the logarithm of mu, with a proportional part. The cost is the expected one, by the gates' probabilities, at first, and
 * that of the test-time gates more and more. It is to follow a course from where it starts down to the budget, so that
 * gates close in the order in which they are missed least, and none has to be opened again: a gate that
 * is closed for certain no longer hears from the data.
 */
export class SteeredStrength implements PriorStrength {
  readonly #budget: Budget;
  readonly #start: number;
  /** log of the integral part; log mu; steps; log of the cost at the first of them. */
  readonly state: Float64Array;

  constructor(budget: Budget, start: number) {
    this.#budget = budget;
    this.#start = Math.log(Math.max(start, LOWEST));
    this.state = Float64Array.of(this.#start, this.#start, 0, 0);
  }

  get value(): number {
    return Math.exp(at(this.state, 1));
  }

  step({ quantizers }: Pick<Model, "quantizers">, progress: number): void {
    const [integral, , steps, first] = tuple(this.state, 4);
    this.state[2] = steps + 1;
    if (steps % PERIOD !== 0) return;
    const judged = Math.min(1, progress / RAMP);
    const cost =
      (1 - judged) * Math.log(this.#budget.expected(quantizers)) + judged * Math.log(this.#budget.cost(quantizers));
    const start = steps === 0 ? cost : first;
    const end = Math.log(AIM * this.#budget.limit);
    const distance = cost - (start + (end - start) * judged);
    const error = Math.abs(distance) < DEADBAND ? 0 : distance;
    const [lowest, highest] = [Math.log(LOWEST), Math.max(this.#start, Math.log(USUAL)) + Math.log(HIGHEST)];
    const next = clamp(integral + Math.min(FASTEST_RISE, INTEGRAL * error), lowest, highest);
    const push = Math.min(LARGEST_PUSH, (error < 0 ? PROPORTIONAL.below : PROPORTIONAL.above) * error);
    this.state[0] = next;
    this.state[1] = clamp(next + push, lowest, highest);
    this.state[3] = start;
  }

  settle({ quantizers }: Pick<Model, "quantizers">): void {
    fitBudget(quantizers, this.#budget);
  }
}
