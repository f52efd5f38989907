import { elementsOf } from "../../../src/graph/shape.ts";
import { elementTypes } from "../../../src/onnx/element-types.ts";
import { float, type GraphBuilder, int, ints } from "./graph-builder.ts";
import type { Step } from "./random-layers.ts";

const unary: Step = (b, { name, shape }) => {
  const opType = b.draw.pick(["Relu", "Relu", "Sigmoid", "Tanh", "LeakyRelu", "Identity", "Elu", "Abs"]);
  return { name: b.node(opType, [name]), shape };
};

const clip: Step = (b, { name, shape }) => {
  const [low, high] = [b.draw.pick([0, 0, -1, -6, 0.3]), b.draw.pick([1, 6, 0.8])];
  if (b.opset < 11)
    return { name: b.node("Clip", [name], { attributes: [float("min", low), float("max", high)] }), shape };
  const bound = (value: number) => b.short(b.floats([], 0, value), name);
  const ends = b.draw.pick([() => [bound(low), bound(high)], () => ["", bound(high)], () => [bound(low)]])();
  return { name: b.node("Clip", [name, ...ends]), shape };
};

const softmax: Step = (b, { name, shape }) =>
  shape.length < 2 ? null : { name: b.node("Softmax", [name], { attributes: [int("axis", shape.length - 1)] }), shape };

const reduced = (b: GraphBuilder, name: string, axis: number) =>
  b.opset < 18
    ? b.node("ReduceMean", [name], { attributes: [ints("axes", [axis])] })
    : b.node("ReduceMean", [name, b.ints([axis])]);

const layerNorm: Step = (b, { name, shape }) => {
  const size = shape.at(-1) ?? 1;
  if (shape.length < 2 || size < 2) return null;
  const [scale, shift] = [b.floats([size], 0.5, 1), b.floats([size], 0.5)];
  if (b.opset >= 17) return { name: b.node("LayerNormalization", [name, scale, shift]), shape };
  const axis = shape.length - 1;
  const centred = b.node("Sub", [name, reduced(b, name, axis)]);
  const variance = reduced(b, b.node("Mul", [centred, centred]), axis);
  const deviation = b.node("Sqrt", [b.node("Add", [variance, b.floats([], 0, 1e-3)])]);
  return { name: b.node("Add", [b.node("Mul", [b.node("Div", [centred, deviation]), scale]), shift]), shape };
};

const broadcast: Step = (b, { name, shape }) => {
  const { draw } = b;
  const own = draw.pick([[], [1], shape.slice(-1), shape.slice(1).map((size) => (draw.chance(0.5) ? size : 1))]);
  const constant = draw.chance(0.3) ? b.constant(own, 1) : b.floats(own);
  const opType = draw.pick(["Add", "Mul", "Sub"]);
  return { name: b.node(opType, draw.chance(0.5) ? [name, constant] : [constant, name]), shape };
};

const twice: Step = (b, { name, shape }) => ({ name: b.node(b.draw.pick(["Add", "Mul"]), [name, name]), shape });

const concat: Step = (b, { name, shape }) => {
  if (shape.length < 2) return null;
  const axis = b.draw.int(1, shape.length - 1);
  const attributes = [int("axis", b.draw.chance(0.2) ? axis - shape.length : axis)];
  const other = b.draw.chance(0.5) ? name : b.node("Relu", [name]);
  const made = b.node("Concat", [name, other], { attributes: b.opset < 11 ? [int("axis", axis)] : attributes });
  return { name: made, shape: shape.map((size, at) => (at === axis ? 2 * size : size)) };
};

const split: Step = (b, { name, shape }) => {
  const axis = shape.findIndex((size, at) => at > 0 && size >= 2);
  if (axis < 0) return null;
  const size = shape[axis]!;
  const first = b.draw.int(1, size - 1);
  const outputs = [b.name("split"), b.name("split")];
  const parts = [first, size - first];
  if (b.opset < 13) b.node("Split", [name], { attributes: [int("axis", axis), ints("split", parts)], outputs });
  else b.node("Split", [name, b.ints(parts)], { attributes: [int("axis", axis)], outputs });
  return { name: outputs[0]!, shape: shape.map((own, at) => (at === axis ? first : own)) };
};

const slice: Step = (b, { name, shape }) => {
  const axis = shape.findIndex((size, at) => at > 0 && size >= 3);
  if (axis < 0) return null;
  const made =
    b.opset < 10
      ? b.node("Slice", [name], { attributes: [ints("axes", [axis]), ints("starts", [1]), ints("ends", [9999])] })
      : b.node("Slice", [name, b.ints([1]), b.ints([2 ** 40]), b.ints([axis])]);
  return { name: made, shape: shape.map((size, at) => (at === axis ? size - 1 : size)) };
};

const reshape: Step = (b, { name, shape: [images = 1, ...own] }) => {
  const elements = elementsOf(own);
  const factor = b.draw.pick([1, 2, 3, 4].filter((factor) => elements % factor === 0));
  const sizes = b.draw.pick([[elements], [factor, elements / factor], [1, factor, elements / factor]]);
  return {
    name: b.node("Reshape", [name, b.ints([b.draw.chance(0.5) ? 0 : -1, ...sizes])]),
    shape: [images, ...sizes],
  };
};

const transpose: Step = (b, { name, shape }) => {
  if (shape.length < 3) return null;
  const perm = [0, ...b.draw.shuffled(shape.map((_, axis) => axis).slice(1))];
  return {
    name: b.node("Transpose", [name], { attributes: [ints("perm", perm)] }),
    shape: perm.map((axis) => shape[axis]!),
  };
};

const cast: Step = (b, { name, shape }) => {
  const to = (value: string, type: number) => b.node("Cast", [value], { attributes: [int("to", type)] });
  return { name: to(to(name, b.draw.pick([elementTypes.float16, elementTypes.double])), elementTypes.float), shape };
};

const pool: Step = (b, { name, shape }) => {
  if (shape.length !== 4) return null;
  if (b.draw.chance(0.4)) return { name: b.node("GlobalAveragePool", [name]), shape: [...shape.slice(0, 2), 1, 1] };
  const [height = 1, width = 1] = shape.slice(2);
  if (height < 2 || width < 2) return null;
  const attributes = [ints("kernel_shape", [2, 2]), ints("strides", [1, 1])];
  const opType = b.draw.pick(["MaxPool", "AveragePool"]);
  return { name: b.node(opType, [name], { attributes }), shape: [...shape.slice(0, 2), height - 1, width - 1] };
};

const unsqueeze: Step = (b, { name, shape }) => {
  if (shape.length >= 5) return null;
  const made =
    b.opset < 13
      ? b.node("Unsqueeze", [name], { attributes: [ints("axes", [1])] })
      : b.node("Unsqueeze", [name, b.ints([1])]);
  return { name: made, shape: [shape[0] ?? 1, 1, ...shape.slice(1)] };
};

const mean: Step = (b, { name, shape }) => {
  if (shape.length < 2) return null;
  const axis = b.draw.int(1, shape.length - 1);
  return { name: reduced(b, name, axis), shape: shape.map((size, at) => (at === axis ? 1 : size)) };
};

/** Steps without weights. */
export const operators: readonly Step[] = [
  ...[unary, unary, unary, clip, clip, softmax, layerNorm, broadcast, broadcast, twice, concat, split, slice],
  ...[reshape, transpose, cast, pool, unsqueeze, mean],
];
