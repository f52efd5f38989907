import type { NodeProto, ValueInfoProto } from "../../onnx/generated/onnx_pb.ts";
import { isStandardDomain, type Model } from "../../onnx/onnx-model.ts";
import { declaredTensor } from "../../onnx/value-info.ts";
import { Attributes, type TensorProto } from "./attributes.ts";
import { joinPatterns } from "./decomposed.ts";
import { scoresOf } from "./masks.ts";
import { constantsOf } from "./named-constants.ts";
import { cut, Damaged } from "./problems.ts";

/** A node of the file. */
export interface OnnxNode {
  /** Its own name, or that of what it makes. */
  readonly name: string;
  /** With its domain in front where that is not the standard one. */
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

/** A size is a number; what the file leaves open is null. */
export type DeclaredShape = readonly (number | null)[];

/** What goes into a file's graph. */
export interface ModelInput {
  readonly name: string;
  /** Number of TensorProto.DataType. */
  readonly type: number;
  readonly shape: DeclaredShape;
}

/** The part of the file's graph that its outputs come from. */
export interface ModelGraph {
  readonly inputs: readonly ModelInput[];
  readonly outputs: readonly string[];
  /** Each behind all that it reads. */
  readonly nodes: readonly OnnxNode[];
  readonly tensors: ReadonlyMap<string, TensorProto>;
  /** Shapes that the file declares, by value. */
  readonly shapes: ReadonlyMap<string, DeclaredShape>;
  /** How many inputs of nodes take a value's numbers ({@link numbersRead}); an output of the network counts as one. */
  readonly readers: ReadonlyMap<string, number>;
  /** The values that a softmax alone takes, as scores or as a part of them. */
  readonly scores: ReadonlySet<string>;
}

/** Operators whose other inputs say only how the first one is passed on. */
const passing: ReadonlySet<string> = new Set(
  "Identity Dropout Cast CastLike Transpose Reshape Flatten Squeeze Unsqueeze".split(" "),
);

/** The inputs whose numbers a node takes, and not only their shape or type. */
export function numbersRead(
  { operator, inputs, outputs }: OnnxNode,
  readers: ModelGraph["readers"],
): readonly string[] {
  if (operator === "Shape" || operator === "Size") return [];
  if (!passing.has(operator)) return inputs;
  return readers.has(outputs[0] ?? "") ? inputs.slice(0, 1) : [];
}

/** How messages name a node. */
export const labelOf = ({ operator, name }: Pick<OnnxNode, "operator" | "name">): string =>
  `${cut(operator)} "${cut(name)}"`;

/**
 * Puts a model's graph in order.
 *
 * @param wanted The values that are its outputs, and what lies behind them is left out; the file's own if left out.
 * @throws Damaged when names are given twice, something is read that nothing makes, nodes wait for each other in a
 * circle, or there is no input or output.
 */
export function readGraph(model: Model, wanted?: readonly string[]): ModelGraph {
  const { graph } = model;
  const tensors = new Map<string, TensorProto>();
  for (const tensor of graph.initializer) addOnce(tensors, tensor.name, tensor, "tensors");
  const [sparse] = graph.sparseInitializer;
  if (sparse) {
    throw new Damaged(
      `tensor "${sparse.values?.name ?? ""}" is stored sparse (sparse_initializer), expected dense: write it out as an ordinary initializer`,
    );
  }
  const inputs = graph.input.filter(({ name }) => !tensors.has(name)).map(inputOf);
  if (inputs.length === 0) throw new Damaged("it has no input");
  const given = new Set(inputs.map(({ name }) => name));
  const makers = new Map<string, NodeProto>();
  for (const node of graph.node) {
    for (const made of node.output) {
      if (made === "") continue;
      if (given.has(made) || tensors.has(made))
        throw new Damaged(`"${made}" is made by ${labelFor(node)}, and given as well`);
      addOnce(makers, made, node, "values");
    }
  }
  const isGiven = (name: string) => given.has(name) || tensors.has(name);
  const outputs = wanted === undefined ? graph.output.map(({ name }) => name) : requireMade(wanted, makers);
  if (outputs.length === 0) throw new Damaged("it has no output");
  const written = inOrder(outputs, makers, isGiven).map(asNode);
  const nodes = needed(joinPatterns(written, constantsOf(written, tensors)), outputs);
  const shapes = new Map<string, DeclaredShape>();
  for (const value of [...graph.valueInfo, ...graph.output]) {
    const shape = shapeOf(value);
    if (shape !== null) shapes.set(value.name, shape);
  }
  return {
    inputs,
    outputs,
    nodes,
    tensors,
    shapes,
    readers: countReaders(nodes, outputs),
    scores: scoresOf(nodes, outputs),
  };
}

/** @throws Damaged at names of values that no node makes. */
function requireMade(wanted: readonly string[], makers: ReadonlyMap<string, NodeProto>): readonly string[] {
  const missing = wanted.find((name) => !makers.has(name));
  if (missing === undefined) return wanted;
  const named = [...makers.keys()].slice(-MAX_NAMES).map(cut).join(", ");
  throw new Damaged(`no node makes "${cut(missing)}", which is to be an output; the last that are made: ${named}`);
}

/** So many values are named where one is not found. */
const MAX_NAMES = 12;

function addOnce<T>(map: Map<string, T>, name: string, value: T, what: string): void {
  if (map.has(name)) throw new Damaged(`two of its ${what} are named "${name}"`);
  map.set(name, value);
}

export function inputOf(value: ValueInfoProto): ModelInput {
  const { name } = value;
  const shape = shapeOf(value);
  if (shape === null) throw new Damaged(`its input "${name}" has no shape: export it with a fixed image size`);
  return { name, shape, type: declaredTensor(value)?.type ?? 0 };
}

function shapeOf(value: ValueInfoProto): DeclaredShape | null {
  const shape = declaredTensor(value)?.shape;
  // Some exporters write 0 or -1 for what is open.
  return shape ? shape.map((size) => (typeof size === "number" && size > 0 ? size : null)) : null;
}

const labelFor = (node: NodeProto): string =>
  labelOf({ operator: operatorOf(node), name: node.name || (node.output[0] ?? "") });

const operatorOf = ({ domain, opType }: NodeProto): string =>
  isStandardDomain(domain) ? opType : `${domain}.${opType}`;

function asNode(node: NodeProto): OnnxNode {
  try {
    const { name, output, input, attribute } = node;
    return {
      name: name || (output[0] ?? ""),
      operator: operatorOf(node),
      inputs: input,
      outputs: output,
      attributes: new Attributes(attribute),
    };
  } catch (error) {
    if (error instanceof Damaged) throw new Damaged(`${labelFor(node)}: ${error.message}`);
    throw error;
  }
}

/** The nodes that `outputs` come from, each behind those it reads. */
function inOrder(
  outputs: readonly string[],
  makers: ReadonlyMap<string, NodeProto>,
  isGiven: (name: string) => boolean,
): readonly NodeProto[] {
  const ordered: NodeProto[] = [];
  const states = new Map<NodeProto, "open" | "done">();
  const makerOf = (name: string, reader: string): NodeProto | null => {
    const maker = makers.get(name);
    if (maker === undefined && !isGiven(name)) throw new Damaged(`${reader} is "${name}", which nothing makes`);
    return maker ?? null;
  };
  /** A path from an output backwards; deep networks would overflow a recursion. */
  const path: { readonly node: NodeProto; next: number }[] = [];
  const ends = outputs.flatMap((output) => makerOf(output, "its output") ?? []);
  while (path.length > 0 || ends.length > 0) {
    const end = path.length === 0 ? ends.shift() : undefined;
    if (end !== undefined && !states.has(end)) {
      states.set(end, "open");
      path.push({ node: end, next: 0 });
    }
    const top = path.at(-1);
    if (top === undefined) continue;
    const name = top.node.input[top.next++];
    if (name === undefined) {
      states.set(top.node, "done");
      ordered.push(top.node);
      path.pop();
    } else if (name !== "") {
      const maker = makerOf(name, `an input of ${labelFor(top.node)}`);
      if (maker === null || states.get(maker) === "done") continue;
      if (states.get(maker) === "open") {
        throw new Damaged(`${labelFor(maker)} waits for its own output, which goes to ${labelFor(top.node)}: a cycle`);
      }
      states.set(maker, "open");
      path.push({ node: maker, next: 0 });
    }
  }
  return ordered;
}

/** The nodes that `outputs` still come from. */
function needed(nodes: readonly OnnxNode[], outputs: readonly string[]): readonly OnnxNode[] {
  const wanted = new Set(outputs);
  return nodes
    .toReversed()
    .filter(({ inputs, outputs }) => {
      const isWanted = outputs.some((name) => wanted.has(name));
      if (isWanted) for (const input of inputs) wanted.add(input);
      return isWanted;
    })
    .toReversed();
}

function countReaders(nodes: readonly OnnxNode[], outputs: readonly string[]): ModelGraph["readers"] {
  const readers = new Map<string, number>();
  for (const output of outputs) readers.set(output, (readers.get(output) ?? 0) + 1);
  for (const node of nodes.toReversed()) {
    for (const name of numbersRead(node, readers)) readers.set(name, (readers.get(name) ?? 0) + 1);
  }
  return readers;
}
