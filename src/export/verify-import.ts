import { at, first, last } from "../core/elements.ts";
import { UserError } from "../core/errors.ts";
import { lookup } from "../core/lookup.ts";
import { uniforms } from "../core/random.ts";
import { tuple } from "../core/tuple.ts";
import type { Ops } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import { elementsOf } from "../graph/shape.ts";
import type { Network } from "../kinds/index.ts";
import { PADDING } from "../kinds/masked-mean.ts";
import type { InitialValues } from "../network/initial-values.ts";
import type { ImportedFile } from "../network/load-network.ts";
import type { FileLayout } from "../network/onnx/file-inputs.ts";
import type { Head } from "../network/onnx/file-outputs.ts";
import { forward } from "../network/passes.ts";
import { createModel } from "../training/model.ts";
import { passOf, soleInput } from "../training/pass.ts";
import { textTensors } from "./file-input.ts";
import { fromChannelsFirst, toChannelsFirst } from "./image-layout.ts";
import { readModel, withOutputs } from "./onnx/read-model.ts";
import { RuntimeModel, type RuntimeOptions, type RuntimeValues, runtimeName } from "./runtime.ts";

/** Images that are compared. */
const IMAGES = 4;
/** Normalised pixels are drawn from minus to plus this. */
const PIXELS = 2;
/** Half a unit in the last place of float32, relative. */
const ROUNDING = 2 ** -24;
/** By which pixels are moved, relative, to see how much of a small error arrives at the outputs. */
const MOVE = 2 ** -12;
/** How many times what rounding at random adds up to may lie between two right results. */
const SLACK = 16;
/** The logarithms of smaller probabilities count as this: float32 has no exact numbers there. */
const LEAST_LOG = -60;

/** A network that was taken over, with the file that it comes from. */
export interface Imported extends ImportedFile {
  readonly network: Network;
  readonly initial: InitialValues | undefined;
  /** Of the graph's samples: of images [height, width, channels]. */
  readonly inputShape: readonly number[];
  readonly classes: number;
}

/**
 * Compares a network that was taken over from an ONNX file with the file itself, run by onnxruntime on the same random
 * images, so that no mistake of the import goes unseen.
 *
 * The logits may differ by what float32 rounds: √n halves of a unit in the last place for a sum of n terms, added up
 * over the nodes, relative to the largest logit, or to how far all logits move where every pixel is moved; of probabilities
 * that a sigmoid gives, relative to 1, as runtimes compute it.
 *
 * @throws UserError when they differ by more, or the runtime does not load the file.
 */
export async function verifyImport(imported: Imported, ops: Ops, options: RuntimeOptions = {}): Promise<void> {
  const { network, path, layout, inputShape, classes } = imported;
  const shape = [Math.min(IMAGES, layout.batch ?? IMAGES), ...inputShape];
  const samples: Samples = layout.texts === undefined ? imagesBeside(shape) : textsBeside(shape, network);

  const file = await RuntimeModel.load(withItsOutputs(imported), path, { ...options, optimized: false });
  const outputs = await runFile(file, samples, imported).finally(() => file.release());
  const [expected, elsewhere] = tuple(
    outputs.map((values) => fileLogits(values, imported)),
    2,
  );
  const actual = ownLogits(runNetwork(imported, first(samples), shape, ops), imported);

  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), leastScale(network));
  const gain = expected.reduce((most, value, index) => Math.max(most, Math.abs(value - elsewhere[index]!)), 0) / MOVE;
  const allowed = SLACK * ROUNDING * roundings(network) * Math.max(largest, gain);
  const index = actual.findIndex((value, index) => !(Math.abs(value - expected[index]!) <= allowed));
  if (index < 0) return;
  const place = `output ${index % classes} of sample ${Math.floor(index / classes)}`;
  throw new UserError(
    `cannot import the network ${path}: on random samples it gives other logits than ${runtimeName} running the file (${place}: ${actual[index]} instead of ${expected[index]}, at most ${allowed.toPrecision(2)} apart was expected): either the file's numbers leave float32, or a node is not taken over rightly, which is a defect of this program: report it with the file`,
  );
}

/** What errors of a network's outputs are relative to at least: 1 where a sigmoid gives some, which rounds as if all were. */
export function leastScale({ nodes, outputs }: Network): number {
  const known = new Map(nodes.map((node) => [node.id, node]));
  const isSigmoid = (id: NodeId): boolean => {
    const node = lookup(known, id);
    if (node.kind === "reshape" || node.kind === "flatten" || node.kind === "concat")
      return node.inputs.some(isSigmoid);
    return node.kind === "nonlinear" && node.of.kind === "sigmoid";
  };
  return outputs.some(isSigmoid) ? 1 : 0;
}

/** The file, with what the network gives among its outputs. */
function withItsOutputs({ bytes, path, outputs }: Imported): Uint8Array {
  const model = readModel(bytes, path);
  const own = new Set(model.graph.output.map(({ name }) => name));
  const names = outputs.map(({ name }) => name);
  return names.every((name) => own.has(name)) ? bytes : withOutputs(model, names, path);
}

/** Those that are compared, and the same moved a little. */
type Samples = readonly (Float32Array | Int32Array)[];

/** Random images, and the same with every pixel moved a little. */
function imagesBeside(shape: readonly number[]): Samples {
  const pixels = noise("pixels", elementsOf(shape)).map((value) => PIXELS * value);
  const moves = noise("moves", pixels.length);
  return [pixels, pixels.map((pixel, index) => pixel * (1 + MOVE * at(moves, index)))];
}

/** Random texts of any lengths, padded, twice: there is nothing next to a token. */
function textsBeside(shape: readonly number[], { nodes }: Network): Samples {
  const [count, length] = tuple(shape, 2);
  const tables = new Set(nodes.flatMap((node) => (node.kind === "embedding" ? [node.inputs[1]] : [])));
  const rows = nodes.flatMap((node) => (node.kind === "parameter" && tables.has(node.id) ? [first(node.shape)] : []));
  const draws = uniforms({ seed: 1, stream: "tokens", counter: 0 }, count * length);
  const lengths = uniforms({ seed: 1, stream: "lengths", counter: 0 }, count).map((share) => 1 + share * (length - 1));
  const tokens = Int32Array.from(draws, (draw, index) =>
    index % length < at(lengths, Math.floor(index / length)) ? Math.floor(draw * Math.min(...rows)) : PADDING,
  );
  return [tokens, tokens.slice()];
}

const noise = (stream: string, length: number): Float32Array =>
  Float32Array.from(uniforms({ seed: 1, stream, counter: 0 }, length), (value) => 2 * value - 1);

/** The file's outputs for several batches of images, each [image][class]. */
async function runFile(
  file: RuntimeModel,
  batches: Samples,
  { inputShape, layout, outputs: heads }: Imported,
): Promise<Float32Array[]> {
  const outputs: Float32Array[] = [];
  const count = layout.batch ?? IMAGES;
  for (const images of batches) {
    const values = images instanceof Int32Array ? images : inFileOrder(images, inputShape, layout);
    const size = count * elementsOf(layout.imageShape);
    const batch = values instanceof Int32Array ? new Int32Array(size) : new Float32Array(size);
    // A batch of more images than are compared repeats them.
    for (let at = 0; at < batch.length; at += values.length) batch.set(values.subarray(0, batch.length - at), at);
    const results = await (layout.texts !== undefined && batch instanceof Int32Array
      ? file.runAll(textTensors(layout.texts, batch, first(layout.imageShape)))
      : file.run(batch, [count, ...layout.imageShape]));
    outputs.push(
      sideBySide(heads.map((head) => ({ size: head.size, values: inOwnOrder(lookup(results, head.name), head) }))),
    );
  }
  return outputs;
}

/** What the file gives at an output, pixel by pixel where the network gives it so. */
function inOwnOrder(values: RuntimeValues, { size, pixels }: Head): RuntimeValues {
  if (pixels?.channelsFirst !== true) return values;
  return fromChannelsFirst(Float32Array.from(values), [...pixels.size, size]);
}

/** The rows of several outputs in one. */
function sideBySide(parts: readonly { readonly size: number; readonly values: ArrayLike<number> }[]): Float32Array {
  const width = parts.reduce((sum, { size }) => sum + size, 0);
  const rows = first(parts).values.length / first(parts).size;
  const joined = new Float32Array(rows * width);
  let from = 0;
  for (const { size, values } of parts) {
    for (let row = 0; row < rows; row++)
      for (let index = 0; index < size; index++) joined[row * width + from + index] = at(values, row * size + index);
    from += size;
  }
  return joined;
}

/** Images of the graph, [batch, height, width, channels], as the file has them. */
function inFileOrder(images: Float32Array, shape: Imported["inputShape"], { channelsFirst }: FileLayout): Float32Array {
  return channelsFirst ? toChannelsFirst(images, tuple(shape, 3)) : images;
}

/** The taken-over network's logits in float32. */
function runNetwork(
  { network, initial }: Imported,
  images: Float32Array | Int32Array,
  shape: readonly number[],
  ops: Ops,
): Float32Array {
  const model = createModel(network, { ops, seed: 1, quantizers: new Map(), initial });
  try {
    return ops.scope(
      () => {
        const tensor = ops.tensor(images, shape);
        const pass = passOf(model, new Map(), soleInput(network, tensor), { training: false });
        const output = first(forward(network, pass, { keep: false }).outputs);
        return Float32Array.from(ops.read(output));
      },
      () => [],
    );
  } finally {
    for (const variable of model.parameters.values()) ops.dispose(variable);
  }
}

/** The file's outputs as the logarithms that a Softmax at its end makes of logits. */
function fileLogits(values: Float32Array, { outputs, classes }: Imported): Float64Array {
  const endings = outputs.flatMap(({ size, ending }) => new Array<Head["ending"]>(size).fill(ending));
  return Float64Array.from(values, (value, index) => {
    const ending = at(endings, index % classes);
    if (ending === null) return value;
    return Math.max(LEAST_LOG, ending === "softmax" ? Math.log(value) : value);
  });
}

/** The same of the network's own logits. */
function ownLogits(logits: Float32Array, { outputs }: Imported): Float64Array {
  const values = Float64Array.from(logits);
  for (let start = 0; start < values.length; ) {
    for (const { size, ending } of outputs) {
      if (ending !== null) takeLogSoftmax(values.subarray(start, start + size));
      start += size;
    }
  }
  return values;
}

/** In place. */
function takeLogSoftmax(row: Float64Array): void {
  const largest = Math.max(...row);
  const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0);
  row.forEach((value, index) => {
    row[index] = Math.max(LEAST_LOG, value - largest - Math.log(sum));
  });
}

/** What rounding at random adds up to from the images to a logit, in halves of a unit in the last place. */
function roundings({ nodes }: Network): number {
  return nodes.reduce((sum, node) => {
    if (node.kind !== "parameter") return sum + 1;
    return node.role === "weight" ? sum + Math.sqrt(elementsOf(node.shape) / last(node.shape)) : sum;
  }, 0);
}
