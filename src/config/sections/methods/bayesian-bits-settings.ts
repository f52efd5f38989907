import { z } from "zod";
import { bitWidth, granularity, quantization, target } from "./shared-settings.ts";

const phi = z.number().min(-20).max(20);
const gates = z
  .strictObject({
    initial: z
      .strictObject({
        prune: phi.default(6).describe("of the pruning gates z_2"),
        bits4: phi.default(6).describe("of z_4"),
        bits8: phi.default(6).describe("of z_8"),
        bits16: phi.default(-6).describe("of z_16"),
        bits32: phi.default(-6).describe("of z_32"),
      })
      .prefault({})
      .describe("parameter phi of the gates at the start: 6 is open, -6 is closed"),
  })
  .prefault({})
  .describe("the hard-concrete gates");

const prior = z
  .strictObject({
    kind: z.enum(["bop", "const"]).default("bop").describe("what a level costs: bits times share of MACs, or 1"),
    strength: z
      .number()
      .min(0)
      .default(0.1)
      .describe("prior strength mu: larger means fewer bits and channels; beside a target, where mu starts"),
    target: target.optional().describe("a budget: mu is steered so that the run ends within it, and close to it"),
  })
  .prefault({})
  .describe("the complexity prior");

/** Bit-widths and channels learned together by gradient descent, and what is left when parts of it are switched off. */
export const bayesianBits = z.strictObject({
  name: z.literal("bayesian-bits").describe("bit-widths and channels are learned by gates"),
  prior,
  pruning: z.boolean().default(true).describe("whether output channels can be pruned"),
  bits: z
    .strictObject({ weights: bitWidth.describe("of weights"), activations: bitWidth.describe("of activations") })
    .optional()
    .describe("fixed bit-widths, so that only channels are learned; 32 is float32"),
  trainWeights: z
    .boolean()
    .default(true)
    .describe("false: post-training, where only gates and ranges learn, from the weights of training.from"),
  granularity,
  gates,
  ...quantization,
});
