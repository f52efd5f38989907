import { applyByKind, type ByKind } from "../../core/by-kind.ts";
import { at, last } from "../../core/elements.ts";
import { elementsOf } from "../../graph/shape.ts";
import type { FrozenLayer, FrozenTensor, IntegerTensor } from "../frozen-network.ts";
import type { IntegerLayer } from "../onnx/integer-weight.ts";
import { floatBytes, intBytes, packCodes } from "../onnx/packing.ts";
import type { WeightType } from "./integer-fit.ts";
import { TensorType, type TfliteBuilder } from "./tflite-builder.ts";

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
  // Of the convolution over spread pixels, whose taps come in the other order.
  "conv-transpose": ({ weight: { shape } }) => ({
    shape: [last(shape), ...shape.slice(0, -1)],
    axis: 0,
    order: tapsReversed(outputsFirst(shape), shape),
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

/** The same elements with those of the last tap of each output first. */
function tapsReversed(order: Uint32Array, shape: readonly number[]): Uint32Array {
  const [taps, inputs] = [at(shape, 0) * at(shape, 1), at(shape, 2)];
  return order.map((_, place) => {
    const [row, input] = [Math.floor(place / inputs), place % inputs];
    const tap = row % taps;
    return at(order, (row - tap + (taps - 1 - tap)) * inputs + input);
  });
}

/** Names of a layer's tensors. */
interface LayerTensors {
  readonly weight: string;
  readonly bias: string;
}

interface IntegerParts {
  readonly weight: IntegerTensor;
  readonly integer: IntegerLayer;
  readonly type: WeightType;
  /** The step of what the layer reads. */
  readonly inputScale: number;
}

const bitsOf: { readonly [T in WeightType]: 4 | 8 } = { INT4: 4, INT8: 8 };

/** Adds weight and bias of a layer that computes in integers: a scale for each output channel, the bias as int32. */
export function addIntegerTensors(layer: FrozenLayer, builder: TfliteBuilder, parts: IntegerParts): LayerTensors {
  const { id } = layer;
  const { weight, integer, type, inputScale } = parts;
  const { axis, shape, order } = applyByKind(storage, layer);
  const outputs = integer.bias.length;
  const multiples = perChannel(integer.multiples, outputs);
  const scales = perChannel(integer.scales, outputs);
  const stored = Int32Array.from(order, (index) => at(weight.codes, index) * at(multiples, index % outputs));
  return {
    weight: builder.constant(`${id}.weight`, packCodes(stored, bitsOf[type]), {
      // Only layers that compute as dense ones have 4 bits.
      shape: type === "INT4" ? [outputs, elementsOf(shape) / outputs] : shape,
      type: TensorType[type],
      grid: { scale: scales, zeroPoint: 0, axis },
    }),
    bias: builder.constant(`${id}.bias`, intBytes(integer.bias), {
      shape: [outputs],
      type: TensorType.INT32,
      grid: { scale: scales.map((scale) => inputScale * scale), zeroPoint: 0 },
    }),
  };
}

const perChannel = (numbers: number | ArrayLike<number>, channels: number): Float32Array =>
  typeof numbers === "number" ? new Float32Array(channels).fill(numbers) : Float32Array.from(numbers);

/** Adds weight and bias of a layer that computes in float32, the weight in as few bits as DEQUANTIZE reads anywhere. */
export function addFloatTensors(layer: FrozenLayer, builder: TfliteBuilder): LayerTensors {
  const { id, bias } = layer;
  return { weight: addFloatWeight(layer, builder), bias: builder.floats(`${id}.bias`, bias, [bias.length]) };
}

function addFloatWeight(layer: FrozenLayer, builder: TfliteBuilder): string {
  const { id, weight } = layer;
  const { axis, shape, order } = applyByKind(storage, layer);
  if (weight.bits === 32) {
    const values = Float32Array.from(order, (index) => at(weight.values, index));
    return builder.constant(`${id}.weight`, floatBytes(values), { shape });
  }
  const stored = Int32Array.from(order, (index) => at(weight.codes, index));
  const codes = builder.constant(`${id}.weight.codes`, packCodes(stored, weight.bits === 16 ? 16 : 8), {
    shape,
    type: weight.bits === 16 ? TensorType.INT16 : TensorType.INT8,
    grid: { scale: weight.scale, zeroPoint: 0, axis },
  });
  // The weight is a constant, and has no batch.
  return builder.operator("Dequantize", [codes], builder.fixedValue(`${id}.weight`, { shape }));
}

/** What holds a weight that is computed with in float32. */
export const storedType = ({ bits }: FrozenTensor): string =>
  bits === 32 ? "float32" : bits === 16 ? "int16" : "int8";
