import { typeName } from "../../../onnx/element-types.ts";
import type { OnnxNode } from "../model-graph.ts";
import { Damaged, Unsupported } from "../problems.ts";
import { decodeTensor } from "../tensors.ts";
import type { Operator, Translation } from "../translation.ts";
import { numbersOf, type Value } from "../value.ts";
import { bothOf, rectifiedOf } from "./element-nodes.ts";

/** A constant, in any of the forms that an attribute can give it. */
export const constant: Operator = ({ attributes }) => {
  const tensor = attributes.tensor("value");
  if (tensor !== null) return decodeTensor(tensor);
  const floats = attributes.floats("value_floats");
  if (floats !== null) return { kind: "floats", dims: [floats.length], values: Float32Array.from(floats) };
  const integers = attributes.ints("value_ints");
  if (integers !== null) return { kind: "integers", dims: [integers.length], values: integers };
  if (attributes.has("value_int")) return { kind: "integers", dims: [], values: [attributes.int("value_int", 0)] };
  if (attributes.has("value_float")) {
    return { kind: "floats", dims: [], values: Float32Array.of(attributes.float("value_float", 0)) };
  }
  throw new Unsupported(
    attributes.has("sparse_value")
      ? "its value is a sparse tensor, expected a dense one"
      : "its value is no tensor of numbers",
  );
};

/** What is passed on as it is. */
export const identity: Operator = (node, translation) => translation.value(node, 0);

/** Passed on, as when it is evaluated. */
export const dropout: Operator = (node, translation) => {
  const trains = translation.has(node, 2) && translation.numbers(node, 2).some((flag) => flag !== 0);
  if (trains) throw new Unsupported("it is in training mode: export the network in evaluation mode (model.eval())");
  return translation.value(node, 0);
};

const [FLOAT, INT32, INT64, BOOL] = [1, 6, 7, 9];

export const cast: Operator = (node, translation) => {
  const to = node.attributes.int("to", 0);
  return converted(node, translation, to);
};

/** To the type of another tensor. */
export const castLike: Operator = (node, translation) => {
  const like = translation.value(node, 1);
  const isWhole = like.kind === "integers" || (like.kind === "activation" && like.integers);
  return converted(node, translation, isWhole ? INT64 : FLOAT);
};

function converted(node: OnnxNode, translation: Translation, to: number): Value {
  const value = translation.value(node, 0);
  const isWhole = to === INT32 || to === INT64;
  if (value.kind === "integers" ? isWhole : value.kind === "floats" && to === FLOAT) return value;
  if (!(to === FLOAT || to === BOOL || isWhole)) throw new Unsupported(`it casts to ${typeName(to)}`);
  if (value.kind === "activation") {
    if (!value.integers) return to === FLOAT ? value : refuse(to);
    if (to !== BOOL) return { ...value, integers: to !== FLOAT };
    // Of integers other than 0, positive or negative, the square is at least 1.
    const x = translation.activation(node);
    return rectifiedOf(node, translation, bothOf(node, translation, [x, x], "multiply"), 1);
  }
  const numbers = numbersOf(value);
  translation.made.take(numbers.length);
  const { dims, samples = false } = value;
  if (to === FLOAT) return { kind: "floats", dims, values: Float32Array.from(numbers), samples };
  const values = Array.from(numbers, (number) => {
    if (to === BOOL) return number === 0 ? 0 : 1;
    if (!Number.isSafeInteger(Math.trunc(number))) throw new Damaged(`it makes an integer of ${number}`);
    return Math.trunc(number);
  });
  return { kind: "integers", dims, values, samples };
}

function refuse(to: number): never {
  throw new Unsupported(`it casts to ${typeName(to)}`);
}
