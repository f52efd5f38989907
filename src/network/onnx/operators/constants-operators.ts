import { typeName } from "../../../onnx/element-types.ts";
import { Damaged, Unsupported } from "../problems.ts";
import { decodeTensor } from "../tensors.ts";
import type { Operator, Translation } from "../translation.ts";
import { dimsOf, numbersOf, type Value } from "../value.ts";

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
  return converted(translation, translation.value(node, 0), to);
};

/** To the type of another tensor. */
export const castLike: Operator = (node, translation) => {
  const like = translation.value(node, 1);
  return converted(translation, translation.value(node, 0), like.kind === "integers" ? INT64 : FLOAT);
};

function converted(translation: Translation, value: Value, to: number): Value {
  const isWhole = to === INT32 || to === INT64;
  if (value.kind === "integers" ? isWhole : to === FLOAT) return value;
  if (value.kind === "activation" || !(to === FLOAT || to === BOOL || isWhole)) {
    throw new Unsupported(`it casts to ${typeName(to)}`);
  }
  const numbers = numbersOf(value);
  translation.made.take(numbers.length);
  if (to === FLOAT) return { kind: "floats", dims: value.dims, values: Float32Array.from(numbers) };
  const values = Array.from(numbers, (number) => {
    if (to === BOOL) return number === 0 ? 0 : 1;
    if (!Number.isSafeInteger(Math.trunc(number))) throw new Damaged(`it makes an integer of ${number}`);
    return Math.trunc(number);
  });
  return { kind: "integers", dims: value.dims, values };
}

/** Only the end: classes are told apart, and the loss is computed, from the logits before it. */
export const softmax: Operator = (node, translation) => {
  const axis = node.attributes.int("axis", translation.opset < 13 ? 1 : -1);
  const x = translation.activation(node);
  const rank = x.axes.length + 1;
  const over = x.axes[(axis < 0 ? axis + rank : axis) - 1];
  if (over !== "channels" || x.size.height * x.size.width !== 1) {
    throw new Unsupported(`its axis is ${axis} of [batch, ${dimsOf(x)}], expected the classes`);
  }
  return { ...x, ending: node.operator === "LogSoftmax" ? "log-softmax" : "softmax" };
};
