import { applyByKind, type ByKind } from "../../core/by-kind.ts";
import { at, first, last } from "../../core/elements.ts";
import { elementsOf } from "../../graph/shape.ts";
import type { FrozenConvolution, FrozenLayer, FrozenTensor, IntegerTensor } from "../frozen-network.ts";
import { type IntegerLayer, integerLayer } from "../onnx/integer-weight.ts";
import { floatBytes, intBytes, packCodes } from "../onnx/packing.ts";
import type { CodesBehind } from "./codes-behind.ts";
import { scaleOf } from "./codes-behind.ts";
import { TensorType } from "./tflite-builder.ts";
import type { TfliteCodes, TfliteFile } from "./tflite-file.ts";
import { zerosAround } from "./tflite-operators.ts";
import { type OperatorName, type OperatorOptions, optionsOf } from "./tflite-options.ts";
import { paddingKind } from "./tflite-windows.ts";

/** Largest share of an output step by which rounding to int32 may move a bias. */
const LARGEST_SHIFT = 1 / 32;

/** Adds a layer: in integers where it reads codes, gives codes and has a weight of 8 bits or less; else in float32. */
export function addLayer(layer: FrozenLayer, file: TfliteFile): void {
  const { weight } = layer;
  const codes = file.codesBefore(layer);
  if (codes === undefined) {
    addFloatLayer(layer, file, "it reads float32 values");
    return;
  }
  if (weight.bits === 32 || weight.bits === 16) {
    addFloatLayer(layer, file, `its weight has ${weight.bits} bits`);
    return;
  }
  const behind = file.codesBehind(layer);
  if (behind === null) {
    addFloatLayer(layer, file, "its sums are read as they are");
    return;
  }
  const integer = integerLayer({
    weight,
    bias: layer.bias,
    input: { scale: codes.scale, highest: 255 },
    container: "int8",
    pairs: false,
    saturation: "avoid",
    shared: false,
  });
  if (integer === null || integer.largestShift > LARGEST_SHIFT * scaleOf(behind.quantizer)) {
    addFloatLayer(layer, file, "its bias does not fit the grid of its sums");
    return;
  }
  addIntegerLayer(layer, file, { weight, codes, behind, integer });
}

interface IntegerParts {
  readonly weight: IntegerTensor;
  readonly codes: TfliteCodes;
  readonly behind: CodesBehind;
  readonly integer: IntegerLayer;
}

function addIntegerLayer(layer: FrozenLayer, file: TfliteFile, parts: IntegerParts): void {
  const { id } = layer;
  const { codes, behind, integer } = parts;
  const { builder } = file;
  const { axis, shape, order } = applyByKind(storage, layer);
  const outputs = integer.bias.length;
  const multiples = perChannel(integer.multiples, outputs);
  const scales = perChannel(integer.scales, outputs);
  const stored = Int32Array.from(order, (index) => at(parts.weight.codes, index) * at(multiples, index % outputs));
  const weight = builder.constant(`${id}.weight`, packCodes(stored, 8), {
    shape,
    type: TensorType.INT8,
    grid: { scale: scales, zeroPoint: 0, axis },
  });
  const bias = builder.constant(`${id}.bias`, intBytes(integer.bias), {
    shape: [integer.bias.length],
    type: TensorType.INT32,
    grid: { scale: scales.map((scale) => codes.scale * scale), zeroPoint: 0 },
  });
  file.biases.set(id, integer.biasValues);
  for (const { id } of behind.nodes) file.merged.add(id);
  file.addCodes(behind.quantizer, behind.limits, {
    relu: true,
    write: (output, relu) => addOperator(layer, file, { input: codes.name, codes, weight, bias, output, relu }),
  });
}

const perChannel = (numbers: number | ArrayLike<number>, channels: number): Float32Array =>
  typeof numbers === "number" ? new Float32Array(channels).fill(numbers) : Float32Array.from(numbers);

/** Adds a layer that computes in float32, with its weight in as few bits as DEQUANTIZE reads. */
function addFloatLayer(layer: FrozenLayer, file: TfliteFile, why: string): void {
  const { id, weight, bias } = layer;
  const stored = storedType(weight);
  file.notes.push(`${id} computes in float32: ${why}; its weight is stored in ${stored.name}`);
  addOperator(layer, file, {
    input: file.float(first(layer.inputs)),
    codes: undefined,
    weight: floatWeight(layer, file),
    bias: file.builder.floats(`${id}.bias`, bias, [bias.length]),
    output: file.own(layer),
    relu: false,
  });
}

const storedType = ({ bits }: FrozenTensor) =>
  bits === 32 ? { name: "float32" } : bits === 16 ? { name: "int16" } : { name: "int8" };

function floatWeight(layer: FrozenLayer, { builder }: TfliteFile): string {
  const { id, weight } = layer;
  const { axis, shape, order } = applyByKind(storage, layer);
  if (weight.bits === 32) {
    return builder.constant(`${id}.weight`, floatBytes(Float32Array.from(order, (index) => weight.values[index]!)), {
      shape,
    });
  }
  const codes = builder.constant(`${id}.weight.codes`, storedCodes(weight, order), {
    shape,
    type: weight.bits === 16 ? TensorType.INT16 : TensorType.INT8,
    grid: { scale: weight.scale, zeroPoint: 0, axis },
  });
  // The weight is a constant, and has no batch.
  return builder.operator("Dequantize", [codes], builder.fixedValue(`${id}.weight`, { shape }));
}

const storedCodes = ({ codes, bits }: IntegerTensor, order: Uint32Array): Uint8Array =>
  packCodes(
    Int32Array.from(order, (index) => codes[index]!),
    bits === 16 ? 16 : 8,
  );

interface Storage {
  readonly shape: readonly number[];
  /** That of the output channels. */
  readonly axis: number;
  /** For each element, its index in the frozen tensor. */
  readonly order: Uint32Array;
}

/** How each layer's weight lies in the file: [out, height, width, in], [1, height, width, channels], [out, in]. */
const storage: ByKind<FrozenLayer, [], Storage> = {
  conv2d: ({ weight: { shape } }) => ({
    shape: [last(shape), ...shape.slice(0, -1)],
    axis: 0,
    order: outputsFirst(shape),
  }),
  "depthwise-conv2d": ({ weight: { shape } }) => ({
    shape: [1, at(shape, 0), at(shape, 1), last(shape)],
    axis: 3,
    order: Uint32Array.from({ length: elementsOf(shape) }, (_, index) => index),
  }),
  dense: ({ weight: { shape } }) => ({ shape: [at(shape, 1), at(shape, 0)], axis: 0, order: outputsFirst(shape) }),
};

/** The order [out, …] of elements that lie as […, out]. */
function outputsFirst(shape: readonly number[]): Uint32Array {
  const outputs = last(shape);
  const others = elementsOf(shape) / outputs;
  return Uint32Array.from(
    { length: outputs * others },
    (_, place) => (place % others) * outputs + Math.floor(place / others),
  );
}

interface Wiring {
  readonly input: string;
  /** What the input is on; undefined: float32. */
  readonly codes: TfliteCodes | undefined;
  readonly weight: string;
  readonly bias: string;
  readonly output: string;
  readonly relu: boolean;
}

const operators: ByKind<FrozenLayer, [TfliteFile, Wiring], void> = {
  conv2d: (layer, file, wiring) => addConvolution(layer, file, wiring, { kind: "Conv2D", options: optionsOf.conv2d }),
  "depthwise-conv2d": (layer, file, wiring) =>
    addConvolution(layer, file, wiring, { kind: "DepthwiseConv2D", options: optionsOf.depthwise }),
  dense(_, { builder }, { input, weight, bias, output, relu }) {
    builder.operator("FullyConnected", [input, weight, bias], output, optionsOf.fullyConnected({ relu }));
  },
};

const addOperator = (layer: FrozenLayer, file: TfliteFile, wiring: Wiring): void =>
  applyByKind(operators, layer, file, wiring);

interface Convolution {
  readonly kind: OperatorName;
  options(windows: { readonly stride: number; readonly same: boolean; readonly relu: boolean }): OperatorOptions;
}

function addConvolution(
  { id, inputs, weight: kernel, stride, padding }: FrozenConvolution,
  file: TfliteFile,
  { input, codes, weight, bias, output, relu }: Wiring,
  { kind, options }: Convolution,
): void {
  const { builder } = file;
  const inputShape = file.node(first(inputs)).outputShape;
  const size = [at(kernel.shape, 0), at(kernel.shape, 1)] as const;
  const padded = paddingKind({ size, stride, padding }, inputShape);
  const images = padded === "operator" ? zerosAround(builder, { id, input, inputShape, padding, grid: codes }) : input;
  builder.operator(kind, [images, weight, bias], output, options({ stride, same: padded === "same", relu }));
}
