import type { NodeId } from "../graph/graph.ts";
import { isOpen } from "../quantization/hard-concrete.ts";
import type { Quantizer } from "../quantizers/abstract-quantizer.ts";
import { groupsIn, setBits } from "../quantizers/level-gates.ts";
import type { Budget } from "./budget.ts";

type Quantizers = ReadonlyMap<NodeId, Quantizer>;

/** A run ends between this share of its budget and the whole of it. */
export const leastShare = 0.85;

/** Gates are opened up to this share. */
const AIMED_SHARE = 0.95;

/** Parameter of a gate that is closed, and of one that is opened, to fit a budget. */
const DECIDED = 6;

/** One gate, by where its parameter stands. */
interface Place {
  readonly values: Float64Array;
  readonly index: number;
  /** Whether it is a channel's. */
  readonly prunes: boolean;
}

/** A layer without channels computes nothing: its last one stays. */
const isLastChannel = ({ values, prunes }: Place): boolean =>
  prunes && values.reduce((open, value) => open + (isOpen(value) ? 1 : 0), 0) === 1;

/** Where a closed gate stands: a level opens with those below it in its group, no sooner than the farthest of them. */
function opensAt({ values, index, prunes }: Place): number {
  if (prunes) return values[index]!;
  const groups = groupsIn(values);
  let farthest = Number.POSITIVE_INFINITY;
  for (let at = index % groups; at <= index; at += groups) farthest = Math.min(farthest, values[at]!);
  return farthest;
}

/**
 * Decides the gates that are least certain so that the test-time gates come to 85–100 % of a budget, and near its
 * limit: above it the open ones that are nearest to closing are closed; then, while less than 95 % is used, the closed
 * ones nearest to opening are opened. A gate that would step over the window, one level of a large tensor say, is left
 * and the next one tried.
 *
 * @returns The cost in the end; above the limit where even closing all gates does not reach it.
 */
export function fitBudget(quantizers: Quantizers, budget: Budget): number {
  const { limit } = budget;
  let cost = budget.cost(quantizers);
  /** Sets a gate where the cost then is one that is allowed. */
  const tryGate = ({ values, index }: Place, to: number, isAllowed: (next: number) => boolean): void => {
    const before = values[index]!;
    values[index] = to;
    const next = budget.cost(quantizers);
    if (isAllowed(next)) cost = next;
    else values[index] = before;
  };
  const order = (open: boolean) =>
    placesOf(quantizers)
      .filter(({ values, index }) => isOpen(values[index]!) === open)
      .toSorted((a, b) => (open ? a.values[a.index]! - b.values[b.index]! : opensAt(b) - opensAt(a)));
  const close = (isAllowed: (next: number) => boolean) => {
    for (const place of order(true)) {
      if (cost <= limit) return;
      if (!isLastChannel(place)) tryGate(place, -DECIDED, isAllowed);
    }
  };
  close((next) => next >= leastShare * limit);
  // No gate fits into the window: better below it than above the limit.
  close(() => true);
  for (const place of order(false)) {
    if (cost >= AIMED_SHARE * limit) break;
    tryGate(place, DECIDED, (next) => next <= limit);
  }
  return cost;
}

/** The least that gates can make of these quantizers, which change: 2 bits where levels learn, a channel for each layer. */
export function leastCost(quantizers: Quantizers, budget: Pick<Budget, "cost">): number {
  for (const quantizer of quantizers.values()) {
    for (const { name, values } of quantizer.learned) {
      if (name === "phi") setBits(quantizer, 2);
      if (name === "prune") values.fill(-DECIDED, 1);
    }
  }
  return budget.cost(quantizers);
}

/** All gates that learn; of the levels' all, as a closed one also closes those above it. */
const placesOf = (quantizers: Quantizers): readonly Place[] =>
  Array.from(quantizers.values())
    .flatMap(({ learned }) => learned)
    .filter(({ group }) => group === "gates")
    .flatMap(({ name, values }) => Array.from(values.keys(), (index) => ({ values, index, prunes: name === "prune" })));
