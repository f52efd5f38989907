import type { GatedQuantizeGradient, Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { BackwardPass, NodeKind, Pass, QuantizationParameters } from "../graph/node-kind.ts";
import { bitWidths } from "../quantization/levels.ts";
import { sameChannels } from "./channel-flows.ts";
import { perChannel } from "./norm-affine.ts";

/** A quantizer with a learned range on a weight or an activation (docs/method.md, "Quantizer"). */
export interface QuantizerNode {
  readonly kind: "quantizer";
  readonly id: NodeId;
  readonly inputs: readonly [NodeId];
  readonly role: "weight" | "activation";
  readonly signed: boolean;
  /**
   * The input is what goes INTO a ReLU: an unsigned grid clips at 0, which is the ReLU, so the ReLU node is left out
   * and its gradient is part of the quantizer's mask.
   */
  readonly rectifies: boolean;
  /** The range never grows past this: 6 behind ReLU6, whose limit then is the grid's; null: no limit. */
  readonly limit: number | null;
}

/** In its telescoped form. */
export const quantizer: NodeKind<QuantizerNode, readonly [Tensor]> = {
  shape: (_, [x]) => x,
  macs: null,
  readsIntegers: false,
  forward: (node, [x], pass) => ({ output: quantize(x, optionsOf(node, pass), pass), saved: [x] }),
  addsBias: false,
  backward(node, gradient, [x], pass) {
    const options = { ...optionsOf(node, pass), wantsChannels: pass.wantsFactor(node.id) };
    if (options.decoded !== undefined) {
      pass.decoded(node.id, pass.ops.read(gradient));
      return [null];
    }
    return [backQuantize(node.id, x, gradient, options, pass)];
  },
  nonNegative: ({ signed }) => !signed,
  // The grid is its own.
  grid: "new",
  channels: sameChannels,
  letsFactorsPass: () => false,
  // Every level is kept where all are computed.
  copies: bitWidths.length,
};

interface Options extends QuantizationParameters {
  readonly signed: boolean;
  readonly gates: Tensor | null;
}

const optionsOf = ({ id, signed }: QuantizerNode, pass: Pass): Options => ({
  ...pass.quantizer(id),
  signed,
  gates: pass.factor(id),
});

/** With a range r for each channel: r·Q(x/r), where Q has the range 1. */
function quantize(x: Tensor, options: Options, pass: Pass): Tensor {
  const { ops } = pass;
  if (options.decoded !== undefined) return ops.tensor(options.decoded, x.shape);
  if (options.ranges === null) return ops.gatedQuantize(x, options);
  const unit = ops.gatedQuantize(ops.multiply(x, inverse(options.ranges, pass)), { ...options, xMax: 1 });
  return ops.multiply(unit, perChannel(pass, options.ranges));
}

/** The gradient by x; what range and levels learn goes to the pass. */
function backQuantize(
  id: NodeId,
  x: Tensor,
  gradient: Tensor,
  options: Options & { readonly wantsChannels: boolean },
  pass: BackwardPass,
): Tensor {
  const { ops } = pass;
  const { ranges } = options;
  if (ranges === null) {
    const result = ops.gatedQuantizeGradient(x, gradient, options);
    pass.range(id, [result.range]);
    teachGates(id, result, pass);
    return result.gradient;
  }
  const toUnit = inverse(ranges, pass);
  const unit = ops.multiply(x, toUnit);
  const byUnitGrid = ops.multiply(gradient, perChannel(pass, ranges));
  const unitOptions = { ...options, xMax: 1 };
  const result = ops.gatedQuantizeGradient(unit, byUnitGrid, unitOptions);
  teachGates(id, result, pass);
  const sums = (a: Tensor, b: Tensor) => ops.read(ops.sumPerChannel(ops.multiply(a, b)));
  const byGrid = result.channels ?? sums(byUnitGrid, ops.gatedQuantize(unit, unitOptions));
  const byInside = sums(result.gradient, unit);
  pass.range(
    id,
    Float64Array.from(byGrid, (value, channel) => value - byInside[channel]!),
  );
  return ops.multiply(result.gradient, toUnit);
}

function teachGates(id: NodeId, { levels, channels }: GatedQuantizeGradient, pass: BackwardPass): void {
  for (const [bits, inner] of levels) pass.level(id, bits, inner);
  if (channels !== null) pass.factorGradient(id, channels);
}

const inverse = (ranges: Float32Array, pass: Pass): Tensor =>
  perChannel(
    pass,
    ranges.map((range) => 1 / range),
  );
