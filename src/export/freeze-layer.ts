import { at, first, last } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import { normAsAffine } from "../kinds/norm-affine.ts";
import type { Layer } from "../network/layers.ts";
import { clipFactor } from "../quantization/levels.ts";
import type { Quantizer } from "../quantizers/abstract-quantizer.ts";
import { CodebookQuantizer } from "../quantizers/codebook-quantizer.ts";
import type { TrainedValues } from "./freeze-place.ts";
import type { FrozenLayer, FrozenTensor } from "./frozen-network.ts";

export interface LayerSources extends TrainedValues {
  /** Output channels that stay. */
  readonly kept: readonly number[];
  readonly keptInputs: readonly number[];
  /** What each input channel is that does not stay. */
  readonly constants: Float64Array;
}

export interface FrozenLayerParts {
  readonly parts: Pick<FrozenLayer, "weight" | "bias" | "keptOutputs" | "unprunedOutputs">;
  /** What each output channel is that does not stay: the layer's own constants. */
  readonly constants: Float64Array;
}

/**
 * A layer with its bias or batch normalization: weights at w·scale/sigma with the running statistics, on their grid;
 * pruned outputs zero, or their bias where the pruning gate does not reach it; constants among its inputs in its bias.
 */
export function freezeLayer(layer: Layer, sources: LayerSources): FrozenLayerParts {
  const { weightShape, node } = layer;
  const { kept, keptInputs, constants } = sources;
  const outputs = last(weightShape);
  const inputs = at(weightShape, -2);
  const groups = node.kind === "conv2d" ? node.groups : node.kind === "depthwise-conv2d" ? outputs : 1;
  const ofGroup = outputs / groups;
  const quantizer = layer.weightQuantizer === null ? null : lookup(sources.quantizers, layer.weightQuantizer);
  const open = openFlags(quantizer, outputs);
  const { factor, shift, gated } = shiftOf(layer, sources);
  const weights = encodeWeight(lookup(sources.parameters, layer.weight), { factor, open, quantizer });
  const isKept = new Set(keptInputs);
  const bias = Float64Array.from(shift, (value, output) => (open[output] === 1 || !gated ? value : 0));
  const taps = weights.values.length / (inputs * outputs);
  constants.forEach((value, channel) => {
    if (isKept.has(channel) || value === 0) return;
    for (let tap = 0; tap < taps; tap++) {
      const start = Math.floor(channel / inputs) * ofGroup;
      const row = (tap * inputs + (channel % inputs)) * outputs;
      for (let output = start; output < start + ofGroup; output++)
        bias[output]! += weights.values[row + output]! * value;
    }
  });
  const rowsOf = keptRows(keptInputs, inputs, groups);
  const rows = rowsOf(Math.floor(first(kept) / ofGroup)).length;
  const indices = new Int32Array(taps * rows * kept.length);
  let position = 0;
  for (let tap = 0; tap < taps; tap++) {
    for (let row = 0; row < rows; row++) {
      for (const output of kept) {
        const input = at(rowsOf(Math.floor(output / ofGroup)), row);
        indices[position++] = (tap * inputs + input) * outputs + output;
      }
    }
  }
  const rounded = Float32Array.from(bias);
  return {
    parts: {
      weight: weights.select(indices, [...weightShape.slice(0, -2), rows, kept.length], kept),
      bias: Float32Array.from(kept, (output) => rounded[output]!),
      keptOutputs: kept,
      unprunedOutputs: outputs,
    },
    constants: Float64Array.from(rounded),
  };
}

/** By group: the rows of its weight that its inputs which stay have, as many of each group. */
function keptRows(keptInputs: readonly number[], inputs: number, groups: number): (group: number) => readonly number[] {
  const rows = Array.from({ length: groups }, (): number[] => []);
  for (const channel of keptInputs) at(rows, Math.floor(channel / inputs)).push(channel % inputs);
  return (group) => at(rows, group);
}

/** 1 for every output channel whose pruning gate is open. */
export function openFlags(quantizer: Quantizer | null, outputs: number): Uint8Array {
  if (!quantizer?.kept) return new Uint8Array(outputs).fill(1);
  const flags = new Uint8Array(outputs);
  for (const output of quantizer.kept) flags[output] = 1;
  return flags;
}

interface ShiftValues {
  /** What batch normalization multiplies a weight by, per output; null: there is none. */
  readonly factor: Float32Array | null;
  /** What is added, per output. */
  readonly shift: Float32Array;
  /** Whether pruning gates multiply it. */
  readonly gated: boolean;
}

function shiftOf(
  { shift, weightShape, weightQuantizer }: Layer,
  { quantizers, parameters, statistics }: LayerSources,
): ShiftValues {
  const none = { factor: null, shift: new Float32Array(last(weightShape)), gated: false };
  if (shift === null) return none;
  const quantizer = weightQuantizer === null ? undefined : quantizers.get(weightQuantizer);
  const gated = quantizer?.multiplies.includes(shift.id) ?? false;
  if (shift.kind === "bias") {
    return { factor: null, shift: lookup(parameters, shift.inputs[1]), gated };
  }
  // Behind a quantized weight that it is not folded into, a batch normalization stays a node of its own.
  if (shift.kind === "batch-norm" && weightQuantizer !== null) return none;
  const [, scale, beta] = shift.inputs;
  const values = { epsilon: shift.epsilon, scale: lookup(parameters, scale), shift: lookup(parameters, beta) };
  return { ...normAsAffine(lookup(statistics, shift.id), values), gated };
}

interface WeightOptions {
  readonly factor: Float32Array | null;
  readonly open: Uint8Array;
  readonly quantizer: Quantizer | null;
}

/** A weight on its grid: its values, and a way to cut elements out of it. */
export function encodeWeight(
  values: Float32Array,
  { factor, open, quantizer }: WeightOptions,
): {
  readonly values: ArrayLike<number>;
  /** @param kept The output channels that `indices` are of. */
  readonly select: (indices: Int32Array, shape: readonly number[], kept: readonly number[]) => FrozenTensor;
} {
  const outputs = open.length;
  const folded = values.map((value, index) => {
    const output = index % outputs;
    return open[output] === 0 ? 0 : factor === null ? value : value * factor[output]!;
  });
  if (quantizer instanceof CodebookQuantizer) {
    const { values, ...codebook } = quantizer.frozen;
    // No channel of it is pruned: it is whole.
    return { values, select: (_, shape) => ({ bits: 32, shape, values, codebook }) };
  }
  const bits = quantizer?.bits ?? 32;
  if (quantizer === null || bits === 32) {
    const values = quantizer === null ? folded : floatValues(quantizer, folded);
    return {
      values,
      select: (indices, shape) => ({ bits: 32, shape, values: Float32Array.from(indices, (index) => values[index]!) }),
    };
  }
  const { scale, codes } = quantizer.encode(folded);
  const stepOf = (index: number) => (typeof scale === "number" ? scale : scale[index % outputs]!);
  return {
    values: Float64Array.from(codes, (code, index) => code * stepOf(index)),
    select: (indices, shape, kept) => {
      const widths = quantizer.bitsOf(kept);
      return {
        ...(typeof widths === "object"
          ? { bits, channelBits: Uint8Array.from(widths) }
          : { bits: widths === 32 ? bits : widths, channelBits: null }),
        scale: typeof scale === "number" ? scale : Float32Array.from(kept, (output) => scale[output]!),
        shape,
        codes: Int32Array.from(indices, (index) => codes[index]!),
      };
    },
  };
}

/** The values of a weight that is not stored as codes: clipped in channels of 32 bits, in others on their grids. */
function floatValues(quantizer: Quantizer, weight: Float32Array): Float32Array {
  const limitOf = (index: number) => Math.fround(rangeOf(quantizer, index) * clipFactor);
  const clipped = weight.map((value, index) => Math.min(limitOf(index), Math.max(-limitOf(index), value)));
  const { channelBits } = quantizer;
  if (channelBits === null) return clipped;
  const { scale, codes } = quantizer.encode(weight);
  const stepOf = (channel: number) => (typeof scale === "number" ? scale : scale[channel]!);
  return clipped.map((value, index) => {
    const channel = index % channelBits.length;
    return channelBits[channel] === 32 ? value : Math.fround(codes[index]! * stepOf(channel));
  });
}

/** The range of an element's output channel, the last axis. */
const rangeOf = ({ range }: Quantizer, index: number): number => range[index % range.length]!;
