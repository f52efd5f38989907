import { first, last } from "../../../core/elements.ts";
import { elementsOf } from "../../../graph/shape.ts";
import { asScores } from "../masks.ts";
import { type Along, along } from "../meet.ts";
import type { OnnxNode } from "../model-graph.ts";
import { nodeName } from "../names.ts";
import type { Translation } from "../translation.ts";
import { type Activation, checkedShape, type Floats, LARGEST } from "../value.ts";

/** Summands of scores that are lower hide what they are added to: they are a mask, which is not trained. */
const HIDES = -1e4;

/** An activation plus a constant: a layer's bias, or a node of its own. */
export function plusConstant(node: OnnxNode, translation: Translation, x: Activation, constant: Floats): Activation {
  const { writer } = translation;
  const isMask = translation.givesScores(node) && constant.values.some((value) => value < HIDES);
  if (isMask) return plusMask(node, translation, x, constant);
  const met = along(constant, x, writer);
  const channels = perChannel(met);
  if (channels !== null) {
    const layer = translation.layerBefore(met.value);
    if (layer !== null) return { ...met.value, node: writer.bias(layer, channels) };
    const alone = translation.hasOneReader(met.value);
    if (alone && writer.changeNorm(met.value.node, { shift: channels })) return met.value;
    if (met.shape.length === 1 && met.values.length > 1)
      return affine(node, translation, met.value, { scale: channels.map(() => 1), shift: channels });
  }
  const alone = translation.hasOneReader(met.value);
  if (alone && writer.shiftAgain(met.value.node, met.values, met.shape)) return met.value;
  return shaped(node, translation, met, "shift", false);
}

/** Scores, some of which a constant mask hides. */
function plusMask(node: OnnxNode, translation: Translation, x: Activation, mask: Floats): Activation {
  const met = along({ ...mask, values: asScores(mask.values) }, x, translation.writer);
  const hidden = shaped(node, translation, met, "shift", true);
  if (mask.values.includes(Number.NEGATIVE_INFINITY)) translation.addHiding(hidden);
  return hidden;
}

/** An activation times a constant: part of the layer that it stands behind, or a node of its own. */
export function timesConstant(node: OnnxNode, translation: Translation, x: Activation, constant: Floats): Activation {
  const { writer } = translation;
  // Masks as ones times the lowest number there is.
  const isMask = translation.givesScores(node) && constant.values.some((value) => Math.abs(value) > LARGEST);
  const met = along(isMask ? { ...constant, values: asScores(constant.values) } : constant, x, writer);
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

/** An activation repeated along axes of size 1, as where it meets zeros of that shape; 1 for the batch. */
export function repeatedTo(
  node: OnnxNode,
  translation: Translation,
  x: Activation,
  dims: readonly number[],
): Activation {
  const elements = elementsOf(checkedShape(dims));
  translation.made.take(elements);
  const zeros = { kind: "floats", dims, values: new Float32Array(elements) } as const;
  return shaped(node, translation, along(zeros, x, translation.writer), "shift", true);
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
