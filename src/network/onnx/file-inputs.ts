import type { NodeId } from "../../graph/graph.ts";
import { elementTypes, typeName } from "../../onnx/element-types.ts";
import type { GraphWriter } from "./graph-writer.ts";
import type { ModelGraph, ModelInput } from "./model-graph.ts";
import { Damaged } from "./problems.ts";
import { inFileOrder } from "./regroup.ts";
import { knownSizes, oneBatch } from "./sizes.ts";
import type { TextInput } from "./text-roles.ts";
import { type Activation, checkedShape, type Value } from "./value.ts";

/** How the file has images. */
export interface FileLayout {
  /** Of one image. */
  readonly imageShape: readonly number[];
  /** Images in a batch; null: any. */
  readonly batch: number | null;
  /** Whether an image's channels are its slowest axis; else they are its fastest, as in the graph. */
  readonly channelsFirst: boolean;
  /** Of texts, all that the file takes; absent: it has one input. */
  readonly texts?: readonly TextInput[];
}

/** An input of the file, and the network's for it: [batch, …] in the order that the file has. */
export interface FileInput {
  readonly name: string;
  readonly node: NodeId;
}

/** An input of the file, as the graph has it. */
export interface InputValue<V extends Value = Value> {
  readonly name: string;
  readonly value: V;
}

/** What no operator has left to those that read a value. */
export const noneYet = { kind: "activation", padding: null, ending: null } as const;

/** Images as the graph has them, [height, width, channels], whatever the file's are. */
export function imageInput(
  { inputs }: ModelGraph,
  writer: GraphWriter,
  image: readonly [height: number, width: number, channels: number],
): { readonly inputs: readonly InputValue[]; readonly layout: FileLayout } {
  const input = onlyInput(inputs, "the normalised images");
  const [batch = null, ...dims] = input.shape;
  const [height, width, channels] = image;
  const found = layouts(image).find(({ imageShape }) => fits(dims, imageShape));
  if (found === undefined) {
    throw new Damaged(
      `its input "${input.name}" is ${sampleText(dims)}, the data set's images are ${height} x ${width} with ${channels} channels: choose a data set of the network's image size, or export the network for this one`,
    );
  }
  const lying = inFileOrder([oneBatch, ...(found.channelsFirst ? image : found.imageShape)]);
  // Of a line there is no axis of rows.
  const order = found.imageShape.length === 3 ? [0, 3, 1, 2] : [0, 3, 2];
  const axes = found.channelsFirst ? order.map((axis) => lying.axes[axis] ?? []) : lying.axes;
  const node = writer.input("input", image, "float32");
  const value = { ...noneYet, node, shape: image, factors: lying.factors, axes, integers: false };
  return { inputs: [{ name: input.name, value }], layout: { ...found, batch } };
}

/** Samples that are no images, in the order that the file has. */
export function valueInput(
  { inputs }: ModelGraph,
  writer: GraphWriter,
  shape: readonly number[],
): { readonly inputs: readonly InputValue[]; readonly layout: FileLayout } {
  const input = onlyInput(inputs, "the samples' numbers");
  const [batch = null, ...dims] = input.shape;
  if (!fits(dims, shape)) {
    throw new Damaged(
      `its input "${input.name}" is ${sampleText(dims)}, the data set's samples are [${shape.join(", ")}]: choose another data set, or export the network for this one`,
    );
  }
  const sizes = checkedShape(knownSizes(shape));
  const node = writer.input("input", sizes, "float32");
  const value = { ...noneYet, node, shape: sizes, integers: false, ...inFileOrder([oneBatch, ...sizes]) };
  return { inputs: [{ name: input.name, value }], layout: { imageShape: shape, channelsFirst: false, batch } };
}

/** Sizes that a file leaves open are the data's. */
export const fits = (dims: readonly (number | null)[], sizes: readonly number[]): boolean =>
  dims.length === sizes.length && dims.every((size, axis) => size === null || size === sizes[axis]);

export const sampleText = (dims: readonly (number | null)[]): string =>
  `[batch, ${dims.map((size) => size ?? "?").join(", ")}]`;

/** How a file's images may lie: channels first or last, gray without channels, in a row, or one row as a line. */
function layouts([height, width, channels]: readonly [height: number, width: number, channels: number]) {
  const first = { imageShape: [channels, height, width], channelsFirst: true };
  const last = { imageShape: [height, width, channels], channelsFirst: false };
  const gray = [[height, width], [height * width]].map((imageShape) => ({ imageShape, channelsFirst: false }));
  const lines = height === 1 ? [{ imageShape: [channels, width], channelsFirst: true }] : [];
  return channels === 1 ? [first, last, ...gray, ...lines] : [first, last, ...lines];
}

function onlyInput(inputs: readonly ModelInput[], what: string): ModelInput {
  const [input, ...others] = inputs;
  if (input === undefined || others.length > 0) {
    const names = inputs.map(({ name }) => `"${name}"`).join(", ");
    throw new Damaged(`it has ${inputs.length} inputs (${names}), expected one: ${what}`);
  }
  if (input.type !== elementTypes.float)
    throw new Damaged(`its input "${input.name}" is ${typeName(input.type)}, expected float32: ${what}`);
  return input;
}

const integerTypes: readonly number[] = [elementTypes.int32, elementTypes.int64, elementTypes.bool];

/**
 * A tensor in the file's own order.
 *
 * @param sample Sizes behind the batch, of which the file may leave some open.
 */
export function tensorInput(
  { name, shape, type }: ModelInput,
  writer: GraphWriter,
  sample: readonly number[] | undefined,
): InputValue<Activation> {
  const integers = integerTypes.includes(type);
  if (!integers && type !== elementTypes.float)
    throw new Damaged(`its input "${name}" is ${typeName(type)}, expected float32 or integers`);
  const [, ...open] = shape;
  const dims: readonly (number | null)[] = sample !== undefined && fits(open, sample) ? sample : open;
  if (shape.length === 0 || dims.includes(null)) {
    const sizes = shape.map((size) => size ?? "?").join(", ");
    throw new Damaged(`its input "${name}" is [${sizes}]: export it with fixed sizes, only the batch may vary`);
  }
  const sizes = checkedShape(knownSizes(dims.flatMap((size) => size ?? [])));
  // Where they pick rows of a table, they are tokens.
  const node = writer.input(name, sizes, "float32");
  return { name, value: { ...noneYet, node, shape: sizes, integers, ...inFileOrder([oneBatch, ...sizes]) } };
}
