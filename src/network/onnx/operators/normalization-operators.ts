import { at } from "../../../core/elements.ts";
import { tuple } from "../../../core/tuple.ts";
import { shapeText, trailing } from "../arrangement.ts";
import { axisOf } from "../axes.ts";
import type { OnnxNode } from "../model-graph.ts";
import { nodeName } from "../names.ts";
import { Damaged, Unsupported } from "../problems.ts";
import { regrouped } from "../regroup.ts";
import { isKnown, sizeText } from "../sizes.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, axisSize, dimsOf, type Floats, type Value } from "../value.ts";
import { scalar } from "./clamp-operators.ts";
import { plusConstant, timesConstant } from "./constant-operands.ts";

/** Batch normalization with its running statistics. */
export const batchNormalization: Operator = (node, translation) => {
  const { attributes } = node;
  if (attributes.int("training_mode", 0) !== 0) {
    throw new Unsupported("it is in training mode: export the network in evaluation mode (model.eval())");
  }
  const epsilon = attributes.float("epsilon", 1e-5);
  const parameters = [1, 2, 3, 4].map((index) => translation.floats(node, index));
  const x = translation.activation(node, 0, { keepPadding: true });
  const layer = translation.layerBefore(x);
  const channels = axisSize(x, 1);
  for (const [index, { dims }] of parameters.entries()) {
    if (dims.length !== 1 || dims[0] !== channels) {
      throw new Damaged(`its input ${index + 2} is [${dims}], expected [${sizeText(channels)}]`);
    }
  }
  const { value, order } = trailing(layer === null ? translation.activation(node) : x, [1], translation.writer);
  const [scale, shift, mean, variance] = tuple(
    parameters.map(({ values }) => Float32Array.from(order ?? values.keys(), (unit) => at(values, unit))),
    4,
  );
  const id = translation.writer.name(normName(node.inputs[1]) ?? nodeName(node));
  const values = { scale, shift, mean, variance, epsilon };
  // What a layer gives is still that where it is read as it lies.
  const source = layer !== null && value.node === x.node ? layer : value.node;
  return { ...value, node: translation.writer.batchNorm(id, source, values) };
};

/** PyTorch's name of the module that a scale belongs to. */
const normName = (scale: string | undefined): string | undefined => /^(.+)\.weight$/.exec(scale ?? "")?.[1];

/** Over the last axes, all of them as one row. */
export const layerNormalization: Operator = (node, translation) => {
  const wanted = node.attributes.int("axis", -1);
  const epsilon = node.attributes.float("epsilon", 1e-5);
  const x = translation.activation(node);
  const from = axisOf(wanted, x.axes.length);
  const axes = x.axes.map((_, axis) => axis).slice(from);
  const { value, order, size } = trailing(x, axes, translation.writer);
  const [scale, shift] = [1, 2].map((index) => {
    if (!translation.has(node, index)) return undefined;
    const { values, dims } = translation.floats(node, index);
    if (values.length !== size) throw new Damaged(`its input ${index + 1} is [${dims}], expected ${size} numbers`);
    return Float32Array.from(order ?? values.keys(), (unit) => at(values, unit));
  });
  const id = translation.writer.name(normName(node.inputs[1]) ?? nodeName(node));
  return normalizedRows(translation, value, { id, epsilon, ...(scale && { scale }), ...(shift && { shift }) });
};

/** The same as some exporters write it out: [x, epsilon, axes]. */
export const decomposedLayerNormalization: Operator = (node, translation) => {
  const epsilon = scalar(translation.floats(node, 1));
  const wanted = translation.axes(node, 2);
  const x = translation.activation(node);
  const axes = (wanted ?? []).map((axis) => axisOf(axis, x.axes.length)).toSorted((a, b) => a - b);
  if (axes.length === 0) throw new Unsupported("it normalises all of the batch");
  const { value } = trailing(x, axes, translation.writer);
  return normalizedRows(translation, value, { id: translation.writer.name(nodeName(node)), epsilon });
};

/** Every channel of every sample by itself. */
export const instanceNormalization: Operator = (node, translation) => {
  const epsilon = node.attributes.float("epsilon", 1e-5);
  const [scale, shift] = tuple([translation.floats(node, 1), translation.floats(node, 2)], 2);
  const x = translation.activation(node);
  const axes = x.axes.map((_, axis) => axis).slice(2);
  const { value } = trailing(x, axes, translation.writer);
  const rows = normalizedRows(translation, value, { id: translation.writer.name(nodeName(node)), epsilon });
  return perChannel(node, translation, rows, { scale, shift });
};

/** Channels in groups, each with all places of a sample. */
export const groupNormalization: Operator = (node, translation) => {
  const epsilon = node.attributes.float("epsilon", 1e-5);
  const groups = node.attributes.int("num_groups", 1);
  const [scale, shift] = tuple([translation.floats(node, 1), translation.floats(node, 2)], 2);
  const x = translation.activation(node);
  const [batch, channels, ...places] = dimsOf(x);
  if (batch === undefined || channels === undefined || !isKnown(channels) || channels % groups !== 0)
    throw new Damaged(`it makes ${groups} groups of [${shapeText(x)}]`);
  const grouped = regrouped(x, [batch, groups, channels / groups, ...places], translation.batch);
  if (grouped === null) throw new Unsupported(`it makes ${groups} groups of [${shapeText(x)}]`);
  const axes = grouped.axes.map((_, axis) => axis).slice(2);
  const { value } = trailing({ ...x, ...grouped }, axes, translation.writer);
  const rows = normalizedRows(translation, value, { id: translation.writer.name(nodeName(node)), epsilon });
  const whole = regrouped(rows, dimsOf(x), translation.batch);
  // What was taken apart can be put together.
  if (whole === null) throw new Unsupported(`it makes ${groups} groups of [${shapeText(x)}]`);
  const widened = (constant: Floats): Floats =>
    constant.values.length === channels
      ? constant
      : {
          ...constant,
          dims: [channels],
          values: Float32Array.from({ length: channels }, (_, index) =>
            at(constant.values, Math.floor(index / (channels / groups))),
          ),
        };
  return perChannel(node, translation, { ...rows, ...whole }, { scale: widened(scale), shift: widened(shift) });
};

interface NormOptions {
  readonly id: string;
  readonly epsilon: number;
  readonly scale?: Float32Array;
  readonly shift?: Float32Array;
}

function normalizedRows({ writer }: Translation, x: Activation, { id, epsilon, ...values }: NormOptions): Activation {
  if (!(epsilon > 0)) throw new Damaged("has no epsilon");
  const node = writer.layerNorm(id, x.node, epsilon);
  writer.changeNorm(node, values);
  return { ...x, node };
}

/** A factor and a summand for each channel of the file, left out where they are 1 and 0. */
function perChannel(
  node: OnnxNode,
  translation: Translation,
  x: Activation,
  { scale, shift }: { readonly scale: Floats; readonly shift: Floats },
): Value {
  const along = ({ values }: Floats): Floats => ({
    ...{ kind: "floats", values },
    dims: [values.length, ...x.axes.slice(2).map(() => 1)],
  });
  const scaled = scale.values.every((value) => value === 1) ? x : timesConstant(node, translation, x, along(scale));
  return shift.values.every((value) => value === 0) ? scaled : plusConstant(node, translation, scaled, along(shift));
}
