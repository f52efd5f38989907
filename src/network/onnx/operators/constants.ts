import type { OnnxNode } from "../model-graph.ts";
import { Damaged, Unsupported } from "../problems.ts";
import { decodeTensor, typeName } from "../tensors.ts";
import type { Operator, Translation } from "../translation.ts";
import { dimsOf, type Integers, type Value } from "../value.ts";

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
  throw new Unsupported("its value is no tensor of numbers");
};

/** What is passed on as it is. */
export const identity: Operator = (node, translation) => translation.value(node, 0);

export const cast: Operator = (node, translation) => {
  const to = node.attributes.int("to", 0);
  const value = translation.value(node, 0);
  const same = value.kind === "integers" ? to === 6 || to === 7 : to === 1;
  if (!same) throw new Unsupported(`it casts to ${typeName(to)}`);
  return value;
};

/** A constant float32 becomes the type of a tensor, which is float32. */
export const castLike: Operator = (node, translation) => {
  const value = translation.value(node, 0);
  if (value.kind === "integers") throw new Unsupported("it casts integers");
  return value;
};

/** No constant that exporters expand, a bias or a limit, is larger. */
const MAX_EXPANDED = 2 ** 20;

/** One constant number, many times. */
export const expand: Operator = (node, translation) => {
  const dims = translation.numbers(node, 1);
  const value = translation.value(node, 0);
  if (value.kind === "activation") throw new Unsupported("it is known for constants only");
  const elements = dims.reduce((product, size) => product * size, 1);
  if (value.kind === "integers" || value.values.length !== 1) {
    if (`${dims}` === `${value.dims}` || (value.values.length === 1 && elements === 1)) return { ...value, dims };
    throw new Unsupported(`it expands [${value.dims}] to [${dims}], expected one number`);
  }
  if (!(elements >= 0 && elements <= MAX_EXPANDED) || dims.some((size) => size < 0)) {
    throw new Damaged(`it expands to [${dims}]`);
  }
  return { kind: "floats", dims, values: new Float32Array(elements).fill(value.values[0]!) };
};

/** Only the end: classes are told apart, and the loss is computed, from the logits before it. */
export const softmax: Operator = (node, translation) => {
  const axis = node.attributes.int("axis", translation.opset < 13 ? 1 : -1);
  const x = translation.activation(node);
  const rank = x.axes.length + 1;
  const over = x.axes[(axis < 0 ? axis + rank : axis) - 1];
  if (over !== "channels" || x.size.height * x.size.width !== 1) {
    throw new Unsupported(`its axis is ${axis} of [batch, ${dimsOf(x)}], expected the classes`);
  }
  return { ...x, probabilities: true };
};

/** The arithmetic of shapes, as exporters write `x.reshape(x.shape[0], -1)`. */
export const shape: Operator = (node, translation) => {
  const [start, end] = [node.attributes.int("start", 0), node.attributes.int("end", Number.MAX_SAFE_INTEGER)];
  const value = translation.value(node, 0);
  const dims = value.kind === "activation" ? (["batch", ...dimsOf(value)] as const) : value.dims;
  return vector(dims.slice(start, end));
};

export const gather: Operator = (node, translation) => {
  const axis = node.attributes.int("axis", 0);
  const { dims, values } = list(node, translation, 0);
  const indices = translation.integers(node, 1);
  if (axis !== 0 || dims.length !== 1) throw new Unsupported("it gathers from more than a list");
  const picked = translation.numbers(node, 1).map((index) => {
    const value = values.at(index);
    if (value === undefined || index < -values.length) throw new Damaged(`it takes item ${index} of ${values.length}`);
    return value;
  });
  return { kind: "integers", dims: indices.dims, values: picked };
};

export const slice: Operator = (node, translation) => {
  const { dims, values } = list(node, translation, 0);
  const [start, end, axis = 0, step = 1] = [1, 2, 3, 4].map((index) =>
    translation.has(node, index) ? translation.numbers(node, index)[0] : undefined,
  );
  if (dims.length !== 1 || axis !== 0 || step !== 1) throw new Unsupported("it cuts more than a piece out of a list");
  return vector(values.slice(start, end));
};

export const concat: Operator = (node, translation) => {
  const lists = node.inputs.map((_, index) => list(node, translation, index));
  if (node.attributes.int("axis", 0) !== 0 || lists.some(({ dims }) => dims.length > 1)) {
    throw new Unsupported("it concatenates more than lists");
  }
  return vector(lists.flatMap(({ values }) => values));
};

const vector = (values: readonly (number | "batch")[]): Value => ({ kind: "integers", dims: [values.length], values });

/** Integers; operators that only shapes may use are for these. */
function list(node: OnnxNode, translation: Translation, index: number): Integers {
  const value = translation.value(node, index);
  if (value.kind !== "integers") throw new Unsupported("it is known for the arithmetic of shapes only");
  return value;
}
