import { first } from "../../core/elements.ts";
import { UserError } from "../../core/errors.ts";
import type { NodeId } from "../../graph/graph.ts";
import { isLayer, type Network } from "../../kinds/index.ts";
import { type Model, opsetOf } from "../../onnx/onnx-model.ts";
import type { InitialValues } from "../initial-values.ts";
import { outputShapes } from "../output-shapes.ts";
import { Allowance } from "./allowance.ts";
import { type FileInput, type FileLayout, imageInput, tensorInput, valueInput } from "./file-inputs.ts";
import { classOutputs, type Head, pixelOutput, tensorOutput } from "./file-outputs.ts";
import { GraphWriter } from "./graph-writer.ts";
import { type ModelGraph, readGraph } from "./model-graph.ts";
import { NodeProblems } from "./node-problems.ts";
import { operatorNames, operators } from "./operators/index.ts";
import { cut, Damaged, Unsupported } from "./problems.ts";
import { isKnown, type Size, sizesText } from "./sizes.ts";
import { textInputs } from "./text-inputs.ts";
import { requireOneUse, requireRows } from "./token-uses.ts";
import { Translation } from "./translation.ts";
import { constantDims, dimsOf, type Value } from "./value.ts";

/** Operator sets whose operators are known. */
const opsets = { from: 7, to: 25 };

export interface ImportOptions {
  /** Of the file, in messages. */
  readonly file: string;
  /** Of the network. */
  readonly name: string;
  /** Names of values that are the network's outputs, and what lies behind them is left out; the file's own if left out. */
  readonly outputs?: readonly string[] | undefined;
}

/**
 * What a network is to give: logits for each sample, or each pixel, or values of any outputs and shapes, side by side.
 */
export type OutputKind = "classes" | "pixels" | "values";

/** Images, and how many values a network gives for each. */
export interface ImagesAndClasses {
  /** The data's images, which tell whether the file has its channels first or last. */
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly classes: number;
}

/** Samples that are no images, and how many values a network gives for each. */
export interface ValuesAndClasses {
  /** Of a sample, as the file has it behind the batch. */
  readonly shape: readonly number[];
  readonly classes: number;
}

/** Texts, and how many values a network gives for each. */
export interface TextsAndClasses {
  /** Tokens of a text. */
  readonly length: number;
  /** The data's tokens are below it. */
  readonly vocabulary: number;
  readonly classes: number;
}

/** A network as a file has it: any inputs and outputs. */
export interface ImportedGraph {
  readonly network: Network;
  readonly initial: InitialValues;
  /** By input of the network, in order. */
  readonly inputs: readonly FileInput[];
  /** Names in the file of what the network gives, in order. */
  readonly outputs: readonly string[];
}

export interface ImportedNetwork extends Omit<ImportedGraph, "inputs" | "outputs"> {
  readonly layout: FileLayout;
  /** What the network gives, side by side. */
  readonly outputs: readonly Head[];
}

/**
 * Takes an FP32 network of images, or other samples, over into the graph, with its weights and running statistics. Layers that share a
 * tensor get one each. A Softmax at the end and Dropouts are left out.
 *
 * @throws UserError that lists all nodes that are not supported, or says what is wrong with the file, or how it does
 * not fit the data.
 */
export function importNetwork(
  model: Model,
  {
    outputKind = "classes",
    ...options
  }: ImportOptions & (ImagesAndClasses | ValuesAndClasses | TextsAndClasses) & { outputKind?: OutputKind },
): ImportedNetwork {
  return explained(options.file, () => {
    const { graph, translation, writer } = begin(model, options);
    const { inputs, layout } =
      "length" in options
        ? textInputs(graph, writer, options.length)
        : "shape" in options
          ? valueInput(graph, writer, options.shape)
          : imageInput(graph, writer, options.inputShape);
    if (outputKind !== "values") requireOneOutput(graph);
    for (const { name, value } of inputs) translation.set(name, value);
    translate(graph, translation);
    if ("length" in options) requireRows(writer.nodes, options.vocabulary);
    const given = graph.outputs.map((name) => ({ name, value: translation.named(name) }));
    const { node, heads } =
      outputKind === "pixels" && "inputShape" in options
        ? pixelOutput(first(given), translation, {
            classes: options.classes,
            size: [options.inputShape[0], options.inputShape[1]],
          })
        : classOutputs(given, translation, { classes: options.classes, anyShape: outputKind === "values" });
    const { network, initial } = finish(options, writer, [node]);
    return { network, initial, outputs: heads, layout };
  });
}

/**
 * The same of a network with any number of inputs, float32 or integers, and of outputs, of any shapes: all of them have
 * the batch as their first axis.
 *
 * @param samples Shapes of inputs behind the batch, where the file leaves sizes open.
 * @throws UserError as {@link importNetwork}.
 */
export function importGraph(
  model: Model,
  options: ImportOptions,
  samples: ReadonlyMap<string, readonly number[]> = new Map(),
): ImportedGraph {
  return explained(options.file, () => {
    const { graph, translation, writer } = begin(model, options);
    const read = new Set([...graph.outputs, ...graph.nodes.flatMap(({ inputs }) => inputs)]);
    const inputs = graph.inputs
      .filter(({ name }) => read.has(name))
      .map((input) => tensorInput(input, writer, samples.get(input.name)));
    for (const { name, value } of inputs) translation.set(name, value);
    translate(graph, translation);
    const nodes = graph.outputs.map((name) => tensorOutput(translation.named(name), name, translation));
    const { network, initial } = finish(options, writer, nodes);
    return {
      network,
      initial,
      outputs: graph.outputs,
      inputs: inputs.map(({ name, value: { node } }) => ({ name, node })),
    };
  });
}

/** No message is longer: a file can hold any number of names and sizes. */
const MAX_MESSAGE = 8000;

/** Says of what is wrong with a file which one it is. */
function explained<T>(file: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
    const { message } = error;
    const shown = message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}…` : message;
    throw new UserError(`cannot import the network ${file}: ${shown}`, { cause: error });
  }
}

function begin(model: Model, { outputs }: ImportOptions) {
  const opset = opsetOf(model);
  if (!(opset >= opsets.from && opset <= opsets.to)) {
    throw new Damaged(
      `it is of operator set ${opset}, expected ${opsets.from} to ${opsets.to}: export it with another opset_version`,
    );
  }
  const graph = readGraph(model, outputs);
  const constants = model.graph.node.flatMap(({ attribute }) => attribute.flatMap(({ t }) => t ?? []));
  const writer = new GraphWriter(new Allowance([...graph.tensors.values(), ...constants]));
  return { graph, writer, translation: new Translation(graph, opset, writer) };
}

function finish({ name }: ImportOptions, writer: GraphWriter, outputs: readonly NodeId[]) {
  const { nodes } = writer;
  if (!nodes.some(isLayer)) throw new Damaged("it has no convolution and no dense layer");
  const network = { name, nodes, outputs };
  requireOneUse(network);
  outputShapes(network);
  return { network, initial: writer.initial };
}

/** Goes through all nodes; all that cannot be taken over is told at once. */
function translate(graph: ModelGraph, translation: Translation): void {
  const problems = new NodeProblems();
  for (const node of graph.nodes) {
    try {
      const operator = operators.get(node.operator);
      if (operator === undefined) throw new Unsupported("the operator is not known");
      const given = operator(node, translation);
      const values = Array.isArray(given) ? given : [given];
      const further = node.outputs.slice(values.length).find((other) => graph.readers.has(other));
      if (further !== undefined) throw new Unsupported(`its further output "${cut(further)}" is read`);
      for (const [index, value] of values.entries())
        refuseOtherShape(value, graph.shapes.get(node.outputs[index] ?? ""));
      translation.setOutputs(node, values);
    } catch (error) {
      problems.add(node, error);
      for (const output of node.outputs) translation.setUnknown(output);
    }
  }
  problems.throwIfAny(operatorNames);
}

function requireOneOutput({ outputs }: ModelGraph): void {
  if (outputs.length === 1) return;
  const names = outputs.map((name) => `"${name}"`).join(", ");
  throw new Damaged(
    `it has ${outputs.length} outputs (${names}), expected one: the classes' logits; several are values side by side for task.name regression`,
  );
}

/** Refuses a shape other than the one that the file declares: one of the two is a lie. */
function refuseOtherShape(value: Value, declared: readonly (number | null)[] | undefined): void {
  if (declared === undefined) return;
  const dims: readonly Size[] = value.kind === "activation" ? dimsOf(value) : constantDims(value);
  const fits =
    dims.length === declared.length &&
    dims.every((size, axis) => axis === 0 || !isKnown(size) || declared[axis] === null || declared[axis] === size);
  if (!fits)
    throw new Damaged(
      `gives [${sizesText(dims)}], but the file declares [${declared.map((size) => size ?? "?").join(", ")}]`,
    );
}
