import type { ByKind } from "../core/by-kind.ts";
import { at, first, last } from "../core/elements.ts";
import { UserError } from "../core/errors.ts";
import { lookup } from "../core/lookup.ts";
import { tuple } from "../core/tuple.ts";
import { nonlinearValue } from "../engine/nonlinearity.ts";
import type { AffineNode } from "../kinds/affine.ts";
import type { BatchNormNode } from "../kinds/batch-norm.ts";
import type { LayerNode, Node } from "../kinds/index.ts";
import { freezeAffine } from "./freeze-affine.ts";
import { freezeCodedEmbedding, freezeEmbedding } from "./freeze-embedding.ts";
import { freezeLayer } from "./freeze-layer.ts";
import type { Activation, FreezePlace, Frozen } from "./freeze-place.ts";
import { freezeQuantizer, quantized } from "./freeze-quantizer.ts";
import type { FrozenNode, FrozenSelect } from "./frozen-network.ts";

/** A node that has become `node`, with what it makes of the channels that are cut out. */
const made = ({ kept, shape }: FreezePlace, node: FrozenNode, constants: Float64Array): Frozen => ({
  nodes: [node],
  activation: { kept, constants, shape, node: node.id },
});

function affineRule(node: AffineNode | BatchNormNode, place: FreezePlace): Frozen {
  const { affine, constants } = freezeAffine(node, place);
  return made(place, affine, constants);
}

/** A node that is part of what it reads. */
const merged = ({ sources }: FreezePlace): Frozen => ({ nodes: [], activation: first(sources) });

/** The rule for weights, which their layers take along. */
const ofLayer = () => null;

/** How each kind of node freezes; null: it gives no activation. */
export const freezeRules: ByKind<Node, [FreezePlace], Frozen | null> = {
  input: ({ dtype }, place) => made(place, { ...place.base, kind: "input", dtype }, zeros(place)),
  parameter: ofLayer,
  fold: ofLayer,
  conv2d(node, place) {
    const { parts, constants } = layerParts(node, place);
    const { kind, strides, dilations, padding, groups } = node;
    return made(place, { ...place.base, kind, strides, dilations, padding, groups, ...parts }, constants);
  },
  "depthwise-conv2d"(node, place) {
    const { parts, constants } = layerParts(node, place);
    const { kind, strides, dilations, padding } = node;
    const select = selection(`${node.id}.channels`, place, first(place.sources));
    const inputs = select === null ? place.base.inputs : [select.id];
    const frozen = made(place, { ...place.base, inputs, kind, strides, dilations, padding, ...parts }, constants);
    return select === null ? frozen : { ...frozen, nodes: [select, ...frozen.nodes] };
  },
  "conv-transpose"(node, place) {
    const { parts, constants } = layerParts(node, place);
    const { kind, strides, padding, outputPadding } = node;
    return made(place, { ...place.base, kind, strides, padding, outputPadding, ...parts }, constants);
  },
  dense(node, place) {
    const { parts, constants } = layerParts(node, place);
    return made(place, { ...place.base, kind: "dense", ...parts }, constants);
  },
  embedding: (node, place) => made(place, freezeEmbedding(node, place), zeros(place)),
  "coded-embedding": (node, place) => made(place, freezeCodedEmbedding(node, place), zeros(place)),
  bias: (_, place) => merged(place),
  "folded-norm": (_, place) => merged(place),
  "batch-norm"(node, place) {
    const layer = place.layers.get(node.inputs[0]);
    // Behind a weight without a quantizer it is part of the layer.
    return layer?.shift?.id === node.id && layer.weightQuantizer === null ? merged(place) : affineRule(node, place);
  },
  quantizer(node, place) {
    if (node.role === "weight") return null;
    const frozen = freezeQuantizer(node, place);
    return made(
      place,
      frozen,
      constantsOf(place).map((value) => quantized(value, frozen)),
    );
  },
  relu({ limit }, place) {
    const highest = limit ?? Number.POSITIVE_INFINITY;
    const value = (x: number) => Math.min(highest, Math.max(0, x));
    return made(place, { ...place.base, kind: "relu", limit }, constantsOf(place).map(value));
  },
  affine: affineRule,
  nonlinear({ kind, of }, place) {
    const value = (x: number) => nonlinearValue(of, x);
    return made(place, { ...place.base, kind, of }, constantsOf(place).map(value));
  },
  "max-pool": ({ kind, size, strides, padding }, place) =>
    made(place, { ...place.base, kind, size, strides, padding }, constantsOf(place)),
  "average-pool": ({ kind, size, strides, padding }, place) =>
    made(place, { ...place.base, kind, size, strides, padding }, constantsOf(place)),
  "global-average-pool": ({ kind }, place) => made(place, { ...place.base, kind }, constantsOf(place)),
  "masked-mean": ({ kind }, place) => made(place, { ...place.base, kind }, last(place.sources).constants),
  resize: ({ kind, size, alignment }, place) =>
    made(place, { ...place.base, kind, size, alignment }, constantsOf(place)),
  add: ({ kind }, place) =>
    made(
      place,
      { ...place.base, kind },
      ofBoth(place, (a, b) => a + b),
    ),
  multiply({ kind }, place) {
    const selects = place.sources.map((source, index) =>
      selection(`${place.base.id}.channels${index + 1}`, place, source),
    );
    const inputs = selects.map((select, index) => select?.id ?? place.sources[index]!.node);
    const frozen = made(
      place,
      { ...place.base, kind, inputs },
      ofBoth(place, (a, b) => a * b),
    );
    return { ...frozen, nodes: [...selects.filter((select) => select !== null), ...frozen.nodes] };
  },
  concat({ kind }, place) {
    const constants = place.sources.flatMap(({ constants }) => [...constants]);
    return made(place, { ...place.base, kind }, Float64Array.from(constants));
  },
  pad({ kind, padding, channels: [before] }, place) {
    const { kept, shape, base } = place;
    const constants = constantsOf(place);
    const end = before + constants.length;
    const channels = [kept.filter((one) => one < before).length, kept.filter((one) => one >= end).length] as const;
    const padded = new Float64Array(shape.at(-1)!);
    padded.set(constants, before);
    return made(place, { ...base, kind, padding, channels }, padded);
  },
  reshape: ({ kind }, place) => made(place, { ...place.base, kind }, zeros(place)),
  transpose: ({ kind, order }, place) => made(place, { ...place.base, kind, order }, zeros(place)),
  slice: ({ kind, axis, start, size }, place) => made(place, { ...place.base, kind, axis, start, size }, zeros(place)),
  softmax: ({ kind }, place) => made(place, { ...place.base, kind }, zeros(place)),
  "masked-softmax": ({ kind }, place) => made(place, { ...place.base, kind }, zeros(place)),
  "token-mask": ({ kind }, place) => made(place, { ...place.base, kind }, zeros(place)),
  "layer-norm"({ kind, epsilon, inputs: [, scale, shift] }, place) {
    const { parameters } = place.trained;
    const values = { scale: lookup(parameters, scale), shift: lookup(parameters, shift) };
    return made(place, { ...place.base, kind, epsilon, ...values }, zeros(place));
  },
  matmul: ({ kind, transposeA, transposeB }, place) =>
    made(place, { ...place.base, kind, transposeA, transposeB }, zeros(place)),
  flatten({ kind }, place) {
    const constants = constantsOf(place);
    const repeated = new Float64Array(first(place.shape)).map((_, index) => constants[index % constants.length]!);
    return made(place, { ...place.base, kind }, repeated);
  },
};

/** Of what cuts no channel out but as zero. */
const zeros = ({ shape }: FreezePlace): Float64Array => new Float64Array(last(shape));

/** The constants of what a node with one activation reads. */
const constantsOf = ({ sources }: FreezePlace): Float64Array => first(sources).constants;

function layerParts({ id }: LayerNode, { shape, kept, sources, layers, trained }: FreezePlace) {
  if (kept.length === 0) {
    throw new UserError(
      `cannot export ${id}: all its ${shape.at(-1)} channels are pruned; train with a smaller prior strength`,
    );
  }
  const { kept: keptInputs, constants } = first(sources);
  return freezeLayer(lookup(layers, id), { ...trained, kept, keptInputs, constants });
}

/** Of the channels that a node reads, those that it keeps itself; null: all, or one that is repeated. */
function selection(id: string, { kept }: FreezePlace, source: Activation): FrozenSelect | null {
  if (kept.length === source.kept.length || last(source.shape) === 1) return null;
  return {
    kind: "select",
    id,
    inputs: [source.node],
    outputShape: [...source.shape.slice(0, -1), kept.length],
    channels: kept.map((channel) => source.kept.indexOf(channel)),
  };
}

/** What a node makes of the constants of both that it reads, by channel. */
function ofBoth({ sources, shape }: FreezePlace, join: (a: number, b: number) => number): Float64Array {
  const [left, right] = tuple(sources, 2);
  const of = ({ constants }: Activation, channel: number) => at(constants, Math.min(channel, constants.length - 1));
  return Float64Array.from({ length: last(shape) }, (_, channel) => join(of(left, channel), of(right, channel)));
}
