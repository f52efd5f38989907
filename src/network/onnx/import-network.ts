import { UserError } from "../../core/errors.ts";
import type { NodeId } from "../../graph/graph.ts";
import { isLayer, type Network } from "../../kinds/index.ts";
import { type Model, opsetOf } from "../../onnx/onnx-model.ts";
import type { InitialValues } from "../initial-values.ts";
import { outputShapes } from "../output-shapes.ts";
import { Allowance } from "./allowance.ts";
import { GraphWriter } from "./graph-writer.ts";
import { type ModelGraph, readGraph } from "./model-graph.ts";
import { NodeProblems } from "./node-problems.ts";
import { operators } from "./operators/index.ts";
import { cut, Damaged, Unsupported } from "./problems.ts";
import { Translation } from "./translation.ts";
import { type Activation, type Axis, dimsOf, type Ending, type Value } from "./value.ts";

/** Operator sets whose operators are known. */
const opsets = { from: 11, to: 25 };

export interface ImportOptions {
  /** Of the file, in messages. */
  readonly file: string;
  /** Of the network. */
  readonly name: string;
  /** The data's images, which tell whether the file has its channels first or last. */
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly classes: number;
}

/** How the file has images and classes. */
export interface FileLayout {
  /** Of one image. */
  readonly imageShape: readonly number[];
  /** Images in a batch; null: any. */
  readonly batch: number | null;
  /** Whether an image's channels are its slowest axis; else they are its fastest, as in the graph. */
  readonly channelsFirst: boolean;
  /** What it makes of the graph's logits. */
  readonly ending: Ending | null;
}

export interface ImportedNetwork {
  readonly network: Network;
  readonly initial: InitialValues;
  readonly layout: FileLayout;
}

/** No message is longer: a file can hold any number of names and sizes. */
const MAX_MESSAGE = 8000;

/**
 * Takes an FP32 network over into the graph, with its weights and running statistics. Layers that share a tensor get
 * one each. A Softmax at the end and Dropouts are left out.
 *
 * @throws UserError that lists all nodes that are not supported, or says what is wrong with the file, or how it does
 * not fit the data.
 */
export function importNetwork(model: Model, { file, name, inputShape, classes }: ImportOptions): ImportedNetwork {
  try {
    const opset = opsetOf(model);
    if (!(opset >= opsets.from && opset <= opsets.to)) {
      throw new Damaged(
        `it is of operator set ${opset}, expected ${opsets.from} to ${opsets.to}: export it with another opset_version`,
      );
    }
    const graph = readGraph(model);
    const writer = new GraphWriter(inputShape, new Allowance(graph.tensors.values()));
    const translation = new Translation(graph, opset, writer);
    const input = inputValue(graph, writer, inputShape);
    translation.set(graph.input.name, input);
    translate(graph, translation);
    const result = outputValue(translation.named(graph.output), classes);
    const output = logits(result, writer);
    const { nodes } = writer;
    if (!nodes.some(isLayer)) throw new Damaged("it has no convolution and no dense layer");
    const network = { name, nodes, outputs: [output] };
    outputShapes(network);
    return { network, initial: writer.initial, layout: layoutOf(graph, input, result) };
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
    const { message } = error;
    const shown = message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}…` : message;
    throw new UserError(`cannot import the network ${file}: ${shown}`, { cause: error });
  }
}

/** Goes through all nodes; all that cannot be taken over is told at once. */
function translate(graph: ModelGraph, translation: Translation): void {
  const problems = new NodeProblems();
  for (const node of graph.nodes) {
    const [output, ...others] = node.outputs;
    for (const other of others) translation.setUnknown(other);
    try {
      const operator = operators.get(node.operator);
      if (operator === undefined) throw new Unsupported("the operator is not known");
      const second = others.find((other) => graph.readers.has(other));
      if (second !== undefined) throw new Unsupported(`its further output "${cut(second)}" is read`);
      const value = operator(node, translation);
      refuseOtherShape(value, graph.shapes.get(output ?? ""));
      translation.setOutput(node, value);
    } catch (error) {
      problems.add(node, error);
      translation.setUnknown(output ?? "");
    }
  }
  problems.throwIfAny([...operators.keys()].toSorted());
}

/** Axes in the order of the file's input: of channels-first, channels-last, gray or flattened gray images. */
const layouts: readonly (readonly Axis[])[] = [
  ["channels", "height", "width"],
  ["height", "width", "channels"],
  ["height", "width"],
];

function inputValue(
  { input }: ModelGraph,
  writer: GraphWriter,
  [height, width, channels]: ImportOptions["inputShape"],
): Activation {
  const [, ...dims] = input.shape;
  const shape = `[batch, ${dims.map((size) => size ?? "?").join(", ")}]`;
  if (dims.includes(null)) {
    throw new Damaged(
      `its input "${input.name}" is ${shape}: export it with a fixed image size, only the batch may vary`,
    );
  }
  const size = { height, width, channels };
  const image = {
    kind: "activation",
    node: writer.input,
    size,
    vector: false,
    order: null,
    padding: null,
    ending: null,
  } as const;
  const axes = layouts.find(
    (axes) => `${dims}` === `${dimsOf({ axes, size })}` && (axes.length === 3 || channels === 1),
  );
  if (axes !== undefined) return { ...image, axes };
  if (channels === 1 && dims.length === 1 && dims[0] === height * width) {
    const flat = { height: 1, width: 1, channels: height * width };
    const node = writer.push({ kind: "flatten", id: writer.name("flattened"), inputs: [writer.input] });
    return { ...image, node, size: flat, vector: true, axes: ["channels"] };
  }
  throw new Damaged(
    `its input "${input.name}" is ${shape}, the data set's images are ${height} x ${width} with ${channels} channels: choose a data set of the network's image size, or export the network for this one`,
  );
}

/** Refuses a shape other than the one that the file declares: one of the two is a lie. */
function refuseOtherShape(value: Value, declared: readonly (number | null)[] | undefined): void {
  if (declared === undefined) return;
  const [, ...sizes] = value.kind === "activation" ? [null, ...dimsOf(value)] : [null, ...value.dims.slice(1)];
  const [, ...expected] = declared;
  const rank = value.kind === "activation" ? sizes.length + 1 : value.dims.length;
  const fits = rank === declared.length && expected.every((size, index) => size === null || size === sizes[index]);
  if (!fits)
    throw new Damaged(
      `gives [batch, ${sizes.join(", ")}], but the file declares [${declared.map((size) => size ?? "?").join(", ")}]`,
    );
}

function layoutOf({ input }: ModelGraph, image: Activation, { ending }: Activation): FileLayout {
  return {
    imageShape: dimsOf(image),
    batch: input.shape[0] ?? null,
    channelsFirst: image.axes[0] === "channels",
    ending,
  };
}

/** The network's last value, which has to be a row of logits. */
function outputValue(value: Value, classes: number): Activation {
  if (value.kind !== "activation") throw new Damaged("its output is a constant");
  const { size, order, padding } = value;
  if (size.height * size.width !== 1 || order !== null || padding !== null) {
    throw new Damaged(`its output is [batch, ${dimsOf(value)}], expected [batch, classes]`);
  }
  if (size.channels !== classes) {
    throw new Damaged(
      `it gives ${size.channels} values for each image, the data set needs ${classes}: choose another data set, or replace the network's last layer`,
    );
  }
  return value;
}

const logits = ({ vector, node }: Activation, writer: GraphWriter): NodeId =>
  vector ? node : writer.push({ kind: "flatten", id: writer.name("logits"), inputs: [node] });
