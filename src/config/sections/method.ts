import { z } from "zod";

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

export const method = z
  .strictObject({
    name: z.literal("bayesian-bits").describe("how bit-widths are chosen"),
    prior: z
      .strictObject({
        kind: z.enum(["bop", "const"]).default("bop").describe("what a level costs: bits times share of MACs, or 1"),
        strength: z.number().min(0).default(0.1).describe("prior strength mu: larger means fewer bits and channels"),
      })
      .prefault({})
      .describe("the complexity prior"),
    pruning: z.boolean().default(true).describe("whether output channels can be pruned"),
    gates,
  })
  .describe("the compression method");
