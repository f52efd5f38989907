import type { GatedQuantizeGradient, Tensor } from "../engine/ops.ts";
import type { QuantizerNode } from "../graph/graph.ts";
import type { BackwardPass, NodeKind, Pass, QuantizationParameters } from "../graph/node-kind.ts";
import { perChannel } from "./batch-norm.ts";

/** The gated quantizer in its telescoped form (ARCHITECTURE.md, "The method" 1). */
export const quantizer: NodeKind<QuantizerNode> = {
  shape: (_, [x]) => x!,
  forward({ id, signed, gated }, [x], pass) {
    const gates = gated === "weight" ? pass.channelGates(id) : null;
    return { output: quantize(x!, { ...pass.quantizer(id), signed, gates }, pass), saved: [x!] };
  },
  backward({ id, signed, gated }, gradient, [x], pass) {
    const gates = gated === "weight" ? pass.channelGates(id) : null;
    return [backQuantize(id, x!, gradient, { ...pass.quantizer(id), signed, gates }, pass)];
  },
};

type Options = QuantizationParameters & { readonly signed: boolean; readonly gates: Tensor | null };

/** With a range r for each channel: r·Q(x/r), where Q has the range 1. */
function quantize(x: Tensor, options: Options, pass: Pass): Tensor {
  const { ops } = pass;
  if (options.ranges === null) return ops.gatedQuantize(x, options);
  const unit = ops.gatedQuantize(ops.multiply(x, inverse(options.ranges, pass)), { ...options, xMax: 1 });
  return ops.multiply(unit, perChannel(pass, options.ranges));
}

/** The gradient by x; what range and levels learn goes to the pass. */
function backQuantize(id: string, x: Tensor, gradient: Tensor, options: Options, pass: BackwardPass): Tensor {
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

function teachGates(id: string, { levels, channels }: GatedQuantizeGradient, pass: BackwardPass): void {
  for (const [bits, inner] of levels) pass.level(id, bits, inner);
  if (channels !== null) pass.channels(id, channels);
}

const inverse = (ranges: Float32Array, pass: Pass): Tensor =>
  perChannel(
    pass,
    ranges.map((range) => 1 / range),
  );
