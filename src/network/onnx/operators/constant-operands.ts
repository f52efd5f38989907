import { first, last } from "../../../core/elements.ts";
import { type Along, along } from "../meet.ts";
import type { OnnxNode } from "../model-graph.ts";
import { nodeName } from "../names.ts";
import type { Translation } from "../translation.ts";
import type { Activation, Floats } from "../value.ts";

/** Summands that are lower hide what they are added to, as masks do before a softmax: they are not trained. */
const HIDES = -1e4;
/** No mask is lower: exp of it is 0 in float32. */
const LOWEST = -1e9;

/** An activation plus a constant: a layer's bias, or a node of its own. */
export function plusConstant(node: OnnxNode, translation: Translation, x: Activation, constant: Floats): Activation {
  const { writer } = translation;
  const isMask = constant.values.some((value) => value < HIDES);
  const values = isMask ? constant.values.map((value) => Math.max(LOWEST, value)) : constant.values;
  const met = along({ ...constant, values }, x, writer);
  const channels = perChannel(met);
  if (channels !== null && !isMask) {
    const layer = translation.layerBefore(met.value);
    if (layer !== null) return { ...met.value, node: writer.bias(layer, channels) };
    const alone = translation.hasOneReader(met.value);
    if (alone && writer.changeNorm(met.value.node, { shift: channels })) return met.value;
    if (met.shape.length === 1 && met.values.length > 1)
      return affine(node, translation, met.value, { scale: channels.map(() => 1), shift: channels });
  }
  const alone = translation.hasOneReader(met.value) && !isMask;
  if (alone && writer.shiftAgain(met.value.node, met.values, met.shape)) return met.value;
  return shaped(node, translation, met, "shift", isMask);
}

/** An activation times a constant: part of the layer that it stands behind, or a node of its own. */
export function timesConstant(node: OnnxNode, translation: Translation, x: Activation, constant: Floats): Activation {
  const { writer } = translation;
  const met = along(constant, x, writer);
  const factors = perChannel(met);
  if (factors !== null) {
    const layer = translation.layerBefore(met.value);
    if (layer !== null) {
      writer.scale(layer, factors);
      return met.value;
    }
    const alone = translation.hasOneReader(met.value);
    if (alone && writer.changeNorm(met.value.node, { scale: factors })) return met.value;
    if (met.values.length > 1)
      return affine(node, translation, met.value, { scale: factors, shift: factors.map(() => 0) });
  }
  return shaped(node, translation, met, "scale", false);
}

/** An activation times a number that is a part of how it is computed. */
export function timesNumber(node: OnnxNode, translation: Translation, x: Activation, factor: number): Activation {
  const met = { value: x, values: Float32Array.of(factor), shape: [1] };
  return shaped(node, translation, met, "scale", true);
}

/** An activation plus such a number. */
export function plusNumber(node: OnnxNode, translation: Translation, x: Activation, summand: number): Activation {
  const met = { value: x, values: Float32Array.of(summand), shape: [1] };
  return shaped(node, translation, met, "shift", true);
}

/** A number for each channel of what it meets; null: it has another shape. */
function perChannel({ value, values, shape }: Along): Float32Array | null {
  const channels = last(value.shape);
  if (shape.length !== 1) return null;
  return values.length === channels ? values : new Float32Array(channels).fill(first(values));
}

/** A factor and a summand for each channel behind what is no layer that could take them in. */
function affine(
  node: OnnxNode,
  { writer }: Translation,
  x: Activation,
  values: { readonly scale: Float32Array; readonly shift: Float32Array },
): Activation {
  return { ...x, node: writer.affine(writer.name(nodeName(node)), x.node, values) };
}

/** One number for all is a part of how the network computes, and not trained. */
function shaped(
  node: OnnxNode,
  { writer }: Translation,
  { value, values, shape }: Along,
  what: "scale" | "shift",
  isConstant: boolean,
): Activation {
  const id = writer.name(nodeName(node));
  const made = writer.shaped(id, value.node, { what, values, shape, isConstant: isConstant || values.length === 1 });
  return { ...value, node: made, shape: writer.shapeOf(made) };
}
