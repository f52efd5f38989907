import { applyByKind, type ByKind } from "../../core/by-kind.ts";
import { at, first } from "../../core/elements.ts";
import type { Padding } from "../../graph/graph.ts";
import { windowShares } from "../../kinds/average-pool.ts";
import type { PlainNode } from "../onnx/operators.ts";
import { floatBytes } from "../onnx/packing.ts";
import { type TensorGrid, TensorType, type TfliteBuilder } from "./tflite-builder.ts";
import { addNonlinear } from "./tflite-nonlinear.ts";
import { optionsOf } from "./tflite-options.ts";
import { paddingKind } from "./tflite-windows.ts";

/** Smaller than all float32 values: it never wins. */
const LOWEST = -3.4e38;
const LOWEST_CODE = 0x80;

export interface PlainWiring {
  /** The values that it reads, float32 or, where only the order of elements changes, codes. */
  readonly inputs: readonly string[];
  /** A value that is there already. */
  readonly output: string;
  /** Without the batch, of each input. */
  readonly inputShapes: readonly (readonly number[])[];
  /** Of the codes; undefined: float32. */
  readonly grid: TensorGrid | undefined;
}

interface Place extends PlainWiring {
  readonly builder: TfliteBuilder;
}

/** What TensorFlow Lite files here have no form for (refused-kinds.ts). */
type RefusedKind =
  | "embedding"
  | "coded-embedding"
  | "masked-mean"
  | "resize"
  | "reshape"
  | "transpose"
  | "slice"
  | "softmax"
  | "masked-softmax"
  | "token-mask"
  | "layer-norm"
  | "matmul";

/** What is no layer, and has a form. */
export type PlainImageNode = Exclude<PlainNode, { readonly kind: RefusedKind }>;

/** The operators that a node becomes. */
const operators: ByKind<PlainImageNode, [Place], void> = {
  relu({ id, limit, outputShape }, { builder, inputs, output }) {
    if (limit === null) {
      builder.operator("Relu", inputs, output);
      return;
    }
    const positive = builder.operator("Relu", inputs, builder.value(`${id}.positive`, { shape: outputShape }));
    builder.operator("Minimum", [positive, builder.floats(`${id}.limit`, [limit], [1])], output);
  },
  affine({ id, scale, shift, shape, outputShape }, { builder, inputs, output }) {
    const factor = builder.floats(`${id}.scale`, scale, shape);
    const scaled = builder.operator(
      "Mul",
      [first(inputs), factor],
      builder.value(`${id}.scaled`, { shape: outputShape }),
    );
    builder.operator("Add", [scaled, builder.floats(`${id}.shift`, shift, shape)], output);
  },
  "max-pool"({ id, size, strides, padding }, { builder, inputs, output, inputShapes, grid }) {
    const inputShape = first(inputShapes);
    const kind = paddingKind({ size, strides, padding }, inputShape);
    const input = first(inputs);
    const padded = kind === "operator" ? lowestAround(builder, { id, input, inputShape, padding, grid }) : input;
    builder.operator("MaxPool2D", [padded], output, optionsOf.pool({ size, strides, same: kind === "same" }));
  },
  "average-pool"(node, { builder, inputs, output, inputShapes }) {
    const { id, size, strides, padding, outputShape } = node;
    const [input, inputShape] = [first(inputs), first(inputShapes)];
    const kind = paddingKind(node, inputShape);
    const options = optionsOf.pool({ size, strides, same: kind === "same" });
    if (kind !== "operator") {
      // It counts no padding of its own.
      builder.operator("AveragePool2D", [input], output, options);
      return;
    }
    const padded = zerosAround(builder, { id, input, inputShape, padding, grid: undefined });
    const means = builder.operator(
      "AveragePool2D",
      [padded],
      builder.value(`${id}.means`, { shape: outputShape }),
      options,
    );
    const { rows, columns, shares } = windowShares(inputShape, node);
    builder.operator("Mul", [means, builder.floats(`${id}.shares`, shares, [1, rows, columns, 1])], output);
  },
  "global-average-pool"({ id }, { builder, inputs, output }) {
    builder.operator("Mean", [first(inputs), builder.int32s(`${id}.axes`, [1, 2])], output, optionsOf.mean());
  },
  nonlinear({ id, of, outputShape: shape }, { builder, inputs, output }) {
    addNonlinear(of, { builder, id, shape, input: first(inputs), output });
  },
  add(node, place) {
    place.builder.operator("Add", metInputs(node, place), place.output, optionsOf.add({ relu: false }));
  },
  multiply(node, place) {
    place.builder.operator("Mul", metInputs(node, place), place.output);
  },
  concat({ outputShape }, { builder, inputs, output }) {
    builder.operator("Concatenation", inputs, output, optionsOf.concatenation(outputShape.length));
  },
  pad({ id, padding, channels }, { builder, inputs, output }) {
    builder.operator("Pad", [first(inputs), padSizes(builder, id, padding, channels)], output);
  },
  select({ id, channels, outputShape }, { builder, inputs, output }) {
    const indices = builder.int32s(`${id}.indices`, channels);
    builder.operator("Gather", [first(inputs), indices], output, optionsOf.gather(outputShape.length));
  },
  flatten({ id, outputShape }, { builder, inputs, output }) {
    const shape = [-1, at(outputShape, 0)];
    builder.operator(
      "Reshape",
      [first(inputs), builder.int32s(`${id}.shape`, shape)],
      output,
      optionsOf.reshape(shape),
    );
  },
};

/** What a node reads, vectors that meet images as images of one pixel. */
function metInputs({ id, outputShape }: PlainImageNode, { builder, inputs, inputShapes }: Place): readonly string[] {
  return inputs.map((input, index) => {
    const shape = at(inputShapes, index);
    if (shape.length === outputShape.length) return input;
    const pixel = [1, 1, at(shape, 0)];
    const [name, sizes] = [`${id}.pixel${index + 1}`, [-1, ...pixel]];
    return builder.operator(
      "Reshape",
      [input, builder.int32s(`${name}.shape`, sizes)],
      builder.value(name, { shape: pixel }),
      optionsOf.reshape(sizes),
    );
  });
}

/** Adds the operators of a node that has no weight and no grid. */
export const addPlain = (builder: TfliteBuilder, node: PlainImageNode, wiring: PlainWiring): void =>
  applyByKind(operators, node, { ...wiring, builder });

/** Adds how many elements a padding puts before and behind each axis; gives the name. */
function padSizes(
  builder: TfliteBuilder,
  id: string,
  { top, bottom, left, right }: Padding,
  [before, after]: readonly [number, number] = [0, 0],
): string {
  return builder.int32s(`${id}.sizes`, [0, 0, top, bottom, left, right, before, after], [4, 2]);
}

interface Padded extends Pick<PlainWiring, "grid"> {
  /** Without the batch. */
  readonly inputShape: readonly number[];
  readonly id: string;
  readonly input: string;
  readonly padding: Padding;
}

function paddedValue(builder: TfliteBuilder, { id, inputShape, padding, grid }: Padded): string {
  const { top, bottom, left, right } = padding;
  const shape = [at(inputShape, 0) + top + bottom, at(inputShape, 1) + left + right, at(inputShape, 2)];
  return builder.value(`${id}.padded`, grid === undefined ? { shape } : { shape, grid, type: TensorType.INT8 });
}

/** Adds zeros around an image; gives the name. */
export function zerosAround(builder: TfliteBuilder, padded: Padded): string {
  const { id, input, padding } = padded;
  return builder.operator("Pad", [input, padSizes(builder, id, padding)], paddedValue(builder, padded));
}

/** Adds what no window takes for its largest around an image; gives the name. */
function lowestAround(builder: TfliteBuilder, padded: Padded): string {
  const { id, input, padding, grid } = padded;
  const lowest =
    grid === undefined
      ? builder.constant(`${id}.lowest`, floatBytes([LOWEST]), { shape: [1] })
      : builder.constant(`${id}.lowest`, Uint8Array.of(LOWEST_CODE), { shape: [1], grid, type: TensorType.INT8 });
  return builder.operator("PadV2", [input, padSizes(builder, id, padding), lowest], paddedValue(builder, padded));
}
