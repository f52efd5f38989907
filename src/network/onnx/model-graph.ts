import { first } from "../../core/elements.ts";
import { typeName } from "../../onnx/element-types.ts";
import type { NodeProto, ValueInfoProto } from "../../onnx/generated/onnx_pb.ts";
import { isStandardDomain, type Model } from "../../onnx/onnx-model.ts";
import { declaredTensor } from "../../onnx/value-info.ts";
import { Attributes, type TensorProto } from "./attributes.ts";
import { joinGelu, type ScalarOf } from "./decomposed-gelu.ts";
import { cut, Damaged } from "./problems.ts";
import { decodeTensor } from "./tensors.ts";

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

/** The part of the file's graph that its output comes from. */
export interface ModelGraph {
  readonly input: { readonly name: string; readonly shape: DeclaredShape };
  readonly output: string;
  /** Each behind all that it reads. */
  readonly nodes: readonly OnnxNode[];
  readonly tensors: ReadonlyMap<string, TensorProto>;
  /** Shapes that the file declares, by value. */
  readonly shapes: ReadonlyMap<string, DeclaredShape>;
  /** How many inputs of nodes take a value's numbers ({@link numbersRead}); the network's output counts as one. */
  readonly readers: ReadonlyMap<string, number>;
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
 * @throws Damaged when names are given twice, something is read that nothing makes, nodes wait for each other in a
 * circle, or there is not one float32 input and one output.
 */
export function readGraph(model: Model): ModelGraph {
  const { graph } = model;
  const tensors = new Map<string, TensorProto>();
  for (const tensor of graph.initializer) addOnce(tensors, tensor.name, tensor, "tensors");
  const [sparse] = graph.sparseInitializer;
  if (sparse) {
    throw new Damaged(
      `tensor "${sparse.values?.name ?? ""}" is stored sparse (sparse_initializer), expected dense: write it out as an ordinary initializer`,
    );
  }
  const input = onlyInput(graph.input.filter(({ name }) => !tensors.has(name)));
  const output = onlyOutput(graph.output);
  const makers = new Map<string, NodeProto>();
  for (const node of graph.node) {
    for (const made of node.output) {
      if (made === "") continue;
      if (made === input.name || tensors.has(made))
        throw new Damaged(`"${made}" is made by ${labelFor(node)}, and given as well`);
      addOnce(makers, made, node, "values");
    }
  }
  const isGiven = (name: string) => name === input.name || tensors.has(name);
  const written = inOrder(output, makers, isGiven).map(asNode);
  const nodes = needed(joinGelu(written, scalarsOf(written, tensors)), output);
  const shapes = new Map<string, DeclaredShape>();
  for (const value of [...graph.valueInfo, ...graph.output]) {
    const shape = shapeOf(value);
    if (shape !== null) shapes.set(value.name, shape);
  }
  return { input, output, nodes, tensors, shapes, readers: countReaders(nodes, output) };
}

function addOnce<T>(map: Map<string, T>, name: string, value: T, what: string): void {
  if (map.has(name)) throw new Damaged(`two of its ${what} are named "${name}"`);
  map.set(name, value);
}

function onlyInput(inputs: readonly ValueInfoProto[]): ModelGraph["input"] {
  const [input] = inputs;
  if (input === undefined) throw new Damaged("it has no input");
  if (inputs.length > 1) {
    throw new Damaged(
      `it has ${inputs.length} inputs (${inputs.map(({ name }) => `"${name}"`).join(", ")}), expected one: the images`,
    );
  }
  const { name } = input;
  const type = declaredTensor(input)?.type;
  if (type !== 1)
    throw new Damaged(`its input "${name}" is ${typeName(type)}, expected float32: the normalised images`);
  const shape = shapeOf(input);
  if (shape === null) throw new Damaged(`its input "${name}" has no shape: export it with a fixed image size`);
  return { name, shape };
}

function onlyOutput(outputs: readonly ValueInfoProto[]): string {
  if (outputs.length !== 1) {
    const names = outputs.map(({ name }) => `"${name}"`).join(", ");
    throw new Damaged(`it has ${outputs.length} outputs (${names}), expected one: the classes' logits`);
  }
  return first(outputs).name;
}

function shapeOf(value: ValueInfoProto): DeclaredShape | null {
  const shape = declaredTensor(value)?.shape;
  return shape ? shape.map((size) => (typeof size === "number" && size !== 0 ? size : null)) : null;
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

/** The nodes that `output` comes from, each behind those it reads. */
function inOrder(
  output: string,
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
  const last = makerOf(output, "its output");
  /** A path from the output backwards; deep networks would overflow a recursion. */
  const path: { readonly node: NodeProto; next: number }[] = last === null ? [] : [{ node: last, next: 0 }];
  if (last !== null) states.set(last, "open");
  while (path.length > 0) {
    const top = path.at(-1)!;
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

/** The number of a tensor of one element, or of a Constant node. */
function scalarsOf(nodes: readonly OnnxNode[], tensors: ReadonlyMap<string, TensorProto>): ScalarOf {
  const constants = new Map(nodes.flatMap((node) => (node.operator === "Constant" ? [[node.outputs[0], node]] : [])));
  return (name) => {
    const made = constants.get(name);
    const tensor = tensors.get(name) ?? made?.attributes.tensor("value");
    if (tensor) {
      const { kind, values } = decodeTensor(tensor);
      return kind === "floats" && values.length === 1 ? first(values) : null;
    }
    return made?.attributes.has("value_float") ? made.attributes.float("value_float", 0) : null;
  };
}

/** The nodes that `output` still comes from. */
function needed(nodes: readonly OnnxNode[], output: string): readonly OnnxNode[] {
  const wanted = new Set([output]);
  return nodes
    .toReversed()
    .filter(({ inputs, outputs }) => {
      const isWanted = outputs.some((name) => wanted.has(name));
      if (isWanted) for (const input of inputs) wanted.add(input);
      return isWanted;
    })
    .toReversed();
}

function countReaders(nodes: readonly OnnxNode[], output: string): ModelGraph["readers"] {
  const readers = new Map<string, number>([[output, 1]]);
  for (const node of nodes.toReversed()) {
    for (const name of numbersRead(node, readers)) readers.set(name, (readers.get(name) ?? 0) + 1);
  }
  return readers;
}
