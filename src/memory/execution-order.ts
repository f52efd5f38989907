import { lookup } from "../core/lookup.ts";

/** An operation: it runs while all that it reads and all that it writes is in memory. */
export interface Operation {
  readonly id: string;
  /** Values, each written by another operation of the graph. */
  readonly reads: readonly string[];
  readonly writes: readonly StoredValue[];
}

export interface StoredValue {
  readonly id: string;
  readonly bytes: number;
}

export interface ExecutionOrder {
  /** Ids of the operations, as they run. */
  readonly order: readonly string[];
  /** The most that is in memory at once, in bytes, in this order. */
  readonly peak: number;
  /** The operation at which it first is. */
  readonly at: string;
  /** No order needs less than this; `peak` where the order is known to be the best. */
  readonly bound: number;
}

/** Sets of operations that are looked at before the search gives up proving its order the best. */
const mostStates = 20_000;

/** A set of operations that can have run, each before those that read from it. */
interface State {
  /** One bit for each operation, by its index. */
  readonly done: bigint;
  /** Bytes of the values that are still to be read, and of those that nothing reads. */
  readonly held: number;
  /** The most that a way here needs, at least. */
  readonly peak: number;
  readonly before: State | null;
  readonly ran: number;
}

/**
 * The order in which a graph's operations need least memory at once. A value is in memory from the operation that writes
 * it to the last that reads it, one that nothing reads to the end; nothing is computed in place.
 *
 * What is in memory depends on which operations have run, not on their order. So it is the way with the lowest highest
 * point through the sets of operations that can have run, and is found exactly by going on from the lowest; of a graph in
 * series these sets are few. Where there are more than `most`, the better of the given order and of one that always runs
 * what needs least next is taken, and the search's level, below which no way leads on, is the bound.
 *
 * @param operations In an order in which they can run.
 */
export function executionOrder(
  operations: readonly Operation[],
  { most = mostStates }: { readonly most?: number } = {},
): ExecutionOrder {
  const graph = new Graph(operations);
  const { way, level } = leastPeak(graph, most);
  if (way !== null) return { ...graph.described(way), bound: level };
  const given = graph.described(operations.map((_, index) => index));
  const greedy = graph.described(greedyOrder(graph));
  return { ...(greedy.peak < given.peak ? greedy : given), bound: level };
}

/** Goes on from the states of least peak first: the first to have run everything has the least of all. */
function leastPeak(graph: Graph, most: number): { readonly way: readonly number[] | null; readonly level: number } {
  const seen = new Set<bigint>();
  let level = 0;
  let [open, above]: [State[], State[]] = [[graph.start], []];
  while (true) {
    const state = open.pop();
    if (state === undefined) {
      if (above.length === 0) return { way: null, level };
      level = above.reduce((least, { peak }) => Math.min(least, peak), Number.POSITIVE_INFINITY);
      [open, above] = [above.filter(({ peak }) => peak <= level), above.filter(({ peak }) => peak > level)];
      continue;
    }
    if (seen.has(state.done)) continue;
    if (state.done === graph.all) return { way: wayTo(state), level };
    if (seen.size === most) return { way: null, level };
    seen.add(state.done);
    const next = graph.runnable(state.done).map((index) => graph.run(state, index));
    // What leaves no more behind than there was, and needs no more meanwhile, can as well be done first.
    const free = next.find(({ held, peak }) => held <= state.held && peak <= level);
    for (const one of free ? [free] : next) (one.peak <= level ? open : above).push(one);
  }
}

function wayTo(state: State): readonly number[] {
  const way: number[] = [];
  for (let at = state; at.before !== null; at = at.before) way.push(at.ran);
  return way.reverse();
}

/** Always what needs least next, then what leaves least behind. */
function greedyOrder(graph: Graph): readonly number[] {
  let state = graph.start;
  while (state.done !== graph.all) {
    const here = { ...state, peak: 0 };
    const next = graph.runnable(state.done).map((index) => graph.run(here, index));
    state = next.reduce((best, one) =>
      one.peak < best.peak || (one.peak === best.peak && one.held < best.held) ? one : best,
    );
  }
  return wayTo(state);
}

class Graph {
  readonly all: bigint;
  readonly start: State = { done: 0n, held: 0, peak: 0, before: null, ran: -1 };
  readonly #operations: readonly Operation[];
  readonly #bytes: ReadonlyMap<string, number>;
  /** By operation: those that it reads from. */
  readonly #needs: readonly bigint[];
  /** By value: those that read it. */
  readonly #readers = new Map<string, bigint>();

  constructor(operations: readonly Operation[]) {
    this.#operations = operations;
    this.all = (1n << BigInt(operations.length)) - 1n;
    this.#bytes = new Map(operations.flatMap(({ writes }) => writes.map(({ id, bytes }) => [id, bytes])));
    const writers = new Map(operations.flatMap(({ writes }, index) => writes.map(({ id }) => [id, index])));
    this.#needs = operations.map(({ reads }) => reads.reduce((set, id) => set | bit(lookup(writers, id)), 0n));
    for (const [index, { reads }] of operations.entries())
      for (const id of reads) this.#readers.set(id, (this.#readers.get(id) ?? 0n) | bit(index));
  }

  /** Operations that have not run, and whose inputs are there. */
  runnable(done: bigint): readonly number[] {
    return this.#needs.flatMap((needs, index) => ((done & bit(index)) === 0n && (needs & ~done) === 0n ? [index] : []));
  }

  run(before: State, index: number): State {
    const { reads, writes } = this.#operation(index);
    const done = before.done | bit(index);
    const written = writes.reduce((sum, { bytes }) => sum + bytes, 0);
    const freed = [...new Set(reads)].reduce(
      (sum, id) => sum + ((lookup(this.#readers, id) & ~done) === 0n ? lookup(this.#bytes, id) : 0),
      0,
    );
    const during = before.held + written;
    return { done, held: during - freed, peak: Math.max(before.peak, during), before, ran: index };
  }

  described(way: readonly number[]): Omit<ExecutionOrder, "bound"> {
    let state = this.start;
    let at = "";
    for (const index of way) {
      const next = this.run(state, index);
      if (next.peak > state.peak) at = this.#operation(index).id;
      state = next;
    }
    return { order: way.map((index) => this.#operation(index).id), peak: state.peak, at };
  }

  #operation(index: number): Operation {
    const operation = this.#operations[index];
    if (operation === undefined) throw new RangeError(`there is no operation ${index}`);
    return operation;
  }
}

const bit = (index: number): bigint => 1n << BigInt(index);
