import type { Budget } from "../methods/budget.ts";
import { fitBudget } from "../methods/fit-budget.ts";
import type { Model } from "./model.ts";
import type { PriorStrength } from "./prior-strength.ts";

/** Where in its budget a run is steered to: the middle of 85–100 %. */
const AIM = 0.93;
/** The cost falls to the aim, evenly in its logarithm, over this part of the gates' learning. */
const RAMP = 0.6;
/** From here on the gates' test-time values count more and more, and in the end alone. */
const JUDGED_FROM = 0.5;
/** Relative distance from the setpoint that is left alone. */
const DEADBAND = 0.02;
/** Steps between two changes. */
const PERIOD = 10;
/** Change of log mu per relative distance: at once, and what is added up per period. */
const INTEGRAL = 0.2;
const PROPORTIONAL = 4;
/** Below the course more is at stake: what closes there may be lost. */
const PROPORTIONAL_BELOW = 10;
/** mu never leaves these: where it stands at one of them nothing is added up that would have to be undone. */
const LOWEST = 1e-5;
const HIGHEST = 10;

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

/**
 * A prior strength that is steered so that the run ends within a budget: dual ascent on the constraint cost <= limit in
 * the logarithm of mu, with a proportional part. The cost is to follow a course from where it starts down to the
 * budget, so that gates close in the order in which they are missed least, and none has to be opened again: a gate that
 * is closed for certain no longer hears from the data.
 */
export class SteeredStrength implements PriorStrength {
  readonly #budget: Budget;
  readonly #start: number;
  /** log of the integral part; log mu; steps; log of the cost at the first of them. */
  readonly state: Float64Array;

  constructor(budget: Budget, start: number) {
    this.#budget = budget;
    this.#start = Math.log(clamp(start, LOWEST, HIGHEST));
    this.state = Float64Array.of(this.#start, this.#start, 0, 0);
  }

  get value(): number {
    return Math.exp(this.state[1]!);
  }

  step({ quantizers }: Pick<Model, "quantizers">, progress: number): void {
    const [integral, , steps, first] = this.state as unknown as [number, number, number, number];
    this.state[2] = steps + 1;
    if (steps % PERIOD !== 0) return;
    const judged = clamp((progress - JUDGED_FROM) / (1 - JUDGED_FROM), 0, 1);
    const cost =
      (1 - judged) * Math.log(this.#budget.expected(quantizers)) + judged * Math.log(this.#budget.cost(quantizers));
    const start = steps === 0 ? cost : first;
    const end = Math.log(AIM * this.#budget.limit);
    const setpoint = start + (end - start) * Math.min(1, progress / RAMP);
    const distance = cost - setpoint;
    const error = Math.abs(distance) < DEADBAND ? 0 : distance;
    // Gates that are wide open take their time to answer: until the course is over they are not pushed harder.
    const highest = progress < RAMP ? this.#start : Math.log(HIGHEST);
    const next = clamp(integral + INTEGRAL * error, Math.log(LOWEST), highest);
    this.state[0] = next;
    const pull = (error < 0 ? PROPORTIONAL_BELOW : PROPORTIONAL) * error;
    this.state[1] = clamp(next + pull, Math.log(LOWEST), highest);
    this.state[3] = start;
  }

  settle({ quantizers }: Pick<Model, "quantizers">): void {
    fitBudget(quantizers, this.#budget);
  }
}
