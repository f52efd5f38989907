import { at, first } from "../../core/elements.ts";
import { tuple } from "../../core/tuple.ts";
import { type BitWidth, bitWidths } from "../../quantization/levels.ts";
import type { GatedQuantizeOptions, Ops, Tensor } from "../ops.ts";
import type { Executor } from "./executor.ts";

/** The kernels of kernels.cc; null where this build of TensorFlow was made without them, or runs on a GPU. */
export function fusedQuantizer(run: Executor): Pick<Ops, "gatedQuantize" | "gatedQuantizeGradient"> | null {
  if (run.binding.isUsingGpuDevice()) return null;
  const forward = run.kernel("BayesianBitsQuantize", {});
  const backward = run.kernel("BayesianBitsQuantizeGradient", {});
  const gridOf = ({ signed, xMax, terms }: GatedQuantizeOptions, wanted: readonly BitWidth[]): Tensor => {
    const grid = new Float32Array(2 + 2 * bitWidths.length);
    grid.set([xMax, signed ? 1 : 0]);
    for (const { bits, weight } of terms) grid[2 + bitWidths.indexOf(bits)] = weight;
    for (const bits of wanted) grid[2 + bitWidths.length + bitWidths.indexOf(bits)] = 1;
    return run.create(grid, [grid.length]);
  };
  const gatesOf = ({ gates }: GatedQuantizeOptions): Tensor => gates ?? run.create(new Float32Array(0), [0]);
  const fused: Pick<Ops, "gatedQuantize" | "gatedQuantizeGradient"> = {
    gatedQuantize: (x, options) => run.run(forward, [x, gridOf(options, []), gatesOf(options)]),
    gatedQuantizeGradient(x, gradient, { wanted, wantsChannels, ...options }) {
      const inputs = [x, gradient, gridOf(options, wanted), gatesOf(options)];
      const [byX, sums, channelSums] = tuple(run.runMany(backward, inputs, 3), 3);
      const found = run.read(sums);
      const channels = options.gates && wantsChannels ? run.read(channelSums) : null;
      for (const tensor of [sums, channelSums]) run.release(tensor);
      return {
        gradient: byX,
        range: first(found),
        levels: new Map(wanted.map((bits) => [bits, at(found, 1 + bitWidths.indexOf(bits))] as const)),
        channels,
      };
    },
  };
  const one = { signed: false, xMax: 1, terms: [{ bits: 2, weight: 1 }] } as const;
  return run.has(() => fused.gatedQuantize(run.create(new Float32Array(1), [1]), one)) ? fused : null;
}
