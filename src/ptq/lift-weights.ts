import { create } from "@bufbuild/protobuf";
import {
  type GraphProto,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from "../onnx/generated/onnx_pb.ts";
import { isStandardDomain, type Model } from "../onnx/onnx-model.ts";
import { isRandom } from "./constants.ts";
import { dropUnread, type PassedState, passedStates } from "./loop-states.ts";
import { freeName, namesIn, readsOf, subgraphsOf } from "./value-names.ts";
import { weightOperators } from "./weight-site.ts";

/** A graph, and the one that it lies in: null for the file's own. */
interface Scope {
  readonly graph: GraphProto;
  readonly makers: ReadonlyMap<string, NodeProto>;
  readonly initializers: ReadonlyMap<string, TensorProto>;
  readonly above: Scope | null;
  /** What a Loop's body gets and passes on as it is. */
  readonly passed: readonly PassedState[];
  /** Names that its constants have got in the file's own graph. */
  readonly lifted: Map<string, string>;
}

/**
 * Weights of nodes inside of subgraphs (If, Loop, Scan) become the file's own constants, which subgraphs read from where
 * they are: what makes them, initializers or nodes on constants, is moved out of the subgraph. Nothing is computed
 * differently. Changes `model`.
 *
 * @returns The nodes inside whose weights the file's own graph has, and which of their inputs are weights.
 */
export function liftWeights(model: Model): ReadonlyMap<NodeProto, ReadonlySet<number>> {
  return new Lift(model).run();
}

class Lift {
  readonly #main: GraphProto;
  readonly #names: Set<string>;
  readonly #front: NodeProto[] = [];
  readonly #found = new Map<NodeProto, Set<number>>();

  constructor({ graph }: Model) {
    this.#main = graph;
    this.#names = new Set(namesIn(graph));
  }

  run(): ReadonlyMap<NodeProto, ReadonlySet<number>> {
    const main = scopeOf(this.#main, null);
    this.#visitInner(main);
    this.#main.node = [...this.#front, ...this.#main.node];
    return this.#found;
  }

  #visitInner(scope: Scope): void {
    const inner = innerOf(scope);
    for (const one of inner) this.#visit(one);
    const isRead = readIn(scope.graph);
    // From behind: what is taken out moves those behind it.
    for (const state of inner.flatMap(({ passed }) => passed).toReversed()) dropUnread(state, isRead);
  }

  #visit(scope: Scope): void {
    for (const node of scope.graph.node) {
      for (const { slot } of isStandardDomain(node.domain) ? (weightOperators[node.opType] ?? []) : []) {
        const value = node.input[slot] ?? "";
        const parts = value === "" ? null : partsOf(value, scope);
        if (parts === null) continue;
        // What a subgraph's constants read lies in it, or further out.
        for (const [owner, names] of Array.from(parts).sort(([a], [b]) => depthOf(a) - depthOf(b))) {
          this.#move(names, owner);
        }
        node.input[slot] = nameOutside(value, scope);
        const slots = this.#found.get(node);
        if (slots) slots.add(slot);
        else this.#found.set(node, new Set([slot]));
      }
    }
    this.#visitInner(scope);
    prune(scope);
  }

  /** Puts values of a subgraph into the file's own graph, those that are not there yet. */
  #move(values: ReadonlySet<string>, scope: Scope): void {
    const { graph, makers, initializers, lifted } = scope;
    const left = new Set([...values].filter((value) => !lifted.has(value)));
    for (const value of left) {
      const tensor = initializers.get(value);
      if (tensor === undefined) continue;
      const name = this.#freeName(value);
      lifted.set(value, name);
      this.#main.initializer.push(Object.assign(create(TensorProtoSchema), tensor, { name }));
    }
    const needed = new Set([...left].flatMap((value) => makers.get(value) ?? []));
    for (const node of graph.node.filter((node) => needed.has(node))) {
      const input = node.input.map((name) => nameOutside(name, scope));
      const output = node.output.map((name) => (name === "" ? "" : this.#freeName(name)));
      node.output.forEach((name, index) => void lifted.set(name, output[index] ?? ""));
      const name = node.name === "" ? "" : this.#freeName(node.name);
      this.#front.push(Object.assign(create(NodeProtoSchema), node, { name, input, output }));
    }
  }

  #freeName(wanted: string): string {
    const name = freeName(wanted, this.#names);
    this.#names.add(name);
    return name;
  }
}

function scopeOf(graph: GraphProto, above: Scope | null, passed: readonly PassedState[] = []): Scope {
  return {
    graph,
    makers: new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node] as const))),
    initializers: new Map(graph.initializer.map((tensor) => [tensor.name, tensor])),
    above,
    passed,
    lifted: new Map(),
  };
}

const innerOf = (scope: Scope): readonly Scope[] =>
  scope.graph.node.flatMap((node) => subgraphsOf(node).map((graph) => scopeOf(graph, scope, passedStates(node))));

const depthOf = ({ above }: Scope): number => (above === null ? 0 : 1 + depthOf(above));

const isInput = ({ graph }: Scope, name: string): boolean => graph.input.some((input) => input.name === name);

/** The scope, from this one outwards, that has a value, and its name there. */
function ownerOf(value: string, from: Scope): { readonly scope: Scope; readonly name: string } | null {
  let name = value;
  for (let scope: Scope | null = from; scope !== null; scope = scope.above) {
    const state = scope.passed.find((passed) => passed.name === name);
    if (state !== undefined) name = state.outside;
    else if (scope.makers.has(name) || scope.initializers.has(name) || isInput(scope, name)) return { scope, name };
  }
  return null;
}

/** The name in the file's own graph of a value that has been moved there, or lies there. */
function nameOutside(value: string, from: Scope): string {
  const owner = ownerOf(value, from);
  return owner === null ? value : (owner.scope.lifted.get(owner.name) ?? owner.name);
}

/**
 * The values of subgraphs that one is made of, itself included, by scope: none where the file's own graph has it. Null
 * where they are no constants.
 */
function partsOf(value: string, from: Scope): ReadonlyMap<Scope, ReadonlySet<string>> | null {
  const parts = new Map<Scope, Set<string>>();
  const waiting = [{ value, from }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const owner = ownerOf(next.value, next.from);
    if (owner === null) return null;
    const { scope, name } = owner;
    if (scope.above === null) {
      // The parts go in front of all nodes, so that what nodes make would stand behind them.
      if (parts.size > 0 && !scope.initializers.has(name)) return null;
      continue;
    }
    if (isInput(scope, name)) return null;
    const names = parts.get(scope) ?? new Set<string>();
    if (names.has(name)) continue;
    parts.set(scope, names.add(name));
    const maker = scope.makers.get(name);
    if (maker === undefined) continue;
    if (isRandom(maker) || subgraphsOf(maker).length > 0) return null;
    for (const read of readsOf(maker)) waiting.push({ value: read, from: scope });
  }
  return parts;
}

/** Whether a value is read in a graph, or given by it. */
function readIn({ node, output }: GraphProto): (value: string) => boolean {
  const read = new Set([...node.flatMap((one) => [...readsOf(one)]), ...output.map(({ name }) => name)]);
  return (value) => read.has(value);
}

/** Removes what has been moved out and nothing inside reads any more. */
function prune({ graph, lifted }: Scope): void {
  const read = new Set(graph.output.map(({ name }) => name));
  const isLeft = (name: string) => read.has(name) || !lifted.has(name);
  const kept: NodeProto[] = [];
  for (const node of graph.node.toReversed()) {
    if (node.output.length > 0 && !node.output.some((name) => name !== "" && isLeft(name))) continue;
    for (const name of readsOf(node)) read.add(name);
    kept.push(node);
  }
  graph.node = kept.reverse();
  graph.initializer = graph.initializer.filter(({ name }) => isLeft(name));
}
