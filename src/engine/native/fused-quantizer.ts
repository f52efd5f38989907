import { at, first } from "../../core/elements.ts";
import { tuple } from "../../core/tuple.ts";
import { type BitWidth, bitWidths } from "../../quantization/levels.ts";
import type { GatedQuantizeOptions, Ops, Tensor } from "../ops.ts";
import type { Executor } from "./executor.ts";

/** The kernels of kernels.cc; null where this build of TensorFlow was made without them, or runs on a GPU. */
export function fusedQuantizer(run: Executor): Pick<Ops, "gatedQuantize" | "gatedQuantizeGradient"> | null {
  const forward = run.kernel("BayesianBitsQuantize", {});
  const backward = run.kernel("BayesianBitsQuantizeGradient", {});
  const gridOf = ({ signed, xMax, terms }: GatedQuantizeOptions, wanted: readonly BitWidth[]): Tensor => {
    const grid = new Float32Array(2 + 2 * bitWidths.length);
    grid.set([xMax, signed ? 1 : 0]);
    // Where channels have weights of their own: whether the level is there at all.
    for (const { bits, weight } of terms) grid[2 + bitWidths.indexOf(bits)] = typeof weight === "number" ? weight : 1;
    for (const bits of wanted) grid[2 + bitWidths.length + bitWidths.indexOf(bits)] = 1;
    return run.create(grid, [grid.length]);
  };
  /** [levels, channels]; empty where all channels have the same weights. */
  const weightsOf = ({ terms }: GatedQuantizeOptions): Tensor => {
    const channels = channelsIn(terms);
    const weights = new Float32Array(channels === null ? 0 : bitWidths.length * channels);
    if (channels === null) return run.create(weights, [0, 0]);
    for (const { bits, weight } of terms)
      if (typeof weight === "object") weights.set(weight, bitWidths.indexOf(bits) * channels);
    return run.create(weights, [bitWidths.length, channels]);
  };
  const gatesOf = ({ gates }: GatedQuantizeOptions): Tensor => gates ?? run.create(new Float32Array(0), [0]);
  const fused: Pick<Ops, "gatedQuantize" | "gatedQuantizeGradient"> = {
    gatedQuantize: (x, options) => run.run(forward, [x, gridOf(options, []), gatesOf(options), weightsOf(options)]),
    gatedQuantizeGradient(x, gradient, { wanted, wantsChannels, ...options }) {
      const inputs = [x, gradient, gridOf(options, wanted), gatesOf(options), weightsOf(options)];
      const [byX, sums, channelSums, levelSums] = tuple(run.runMany(backward, inputs, 4), 4);
      const found = run.read(sums);
      const channels = options.gates && wantsChannels ? run.read(channelSums) : null;
      const width = channelsIn(options.terms);
      const ofLevels = width === null || wanted.length === 0 ? null : run.read(levelSums);
      for (const tensor of [sums, channelSums, levelSums]) run.release(tensor);
      const levelSum = (level: number): ArrayLike<number> =>
        ofLevels === null || width === null
          ? [at(found, 1 + level)]
          : ofLevels.subarray(level * width, (level + 1) * width);
      return {
        gradient: byX,
        range: first(found),
        levels: new Map(wanted.map((bits) => [bits, levelSum(bitWidths.indexOf(bits))] as const)),
        channels,
      };
    },
  };
  const one = { signed: false, xMax: 1, terms: [{ bits: 2, weight: 1 }] } as const;
  return run.hasOwn(() => fused.gatedQuantize(run.create(new Float32Array(1), [1]), one)) ? fused : null;
}

/** How many channels have weights of their own; null where all have the same. */
function channelsIn(terms: GatedQuantizeOptions["terms"]): number | null {
  const [first] = terms;
  return typeof first?.weight === "object" ? first.weight.length : null;
}
