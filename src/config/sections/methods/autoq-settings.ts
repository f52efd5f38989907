import { z } from "zod";
import { count } from "../numbers.ts";
import { quantization, target } from "./shared-settings.ts";

/** Bit-widths of kernels or layers searched for by agents, on held-out images; then the network trains with them. */
export const autoq = z.strictObject({
  name: z
    .literal("autoq")
    .describe("agents search for bit-widths of a trained network on held-out images (data.validationShare)"),
  level: z
    .enum(["kernel", "layer"])
    .default("kernel")
    .describe("whether each output channel of a weight has a width (AutoQ), or each weight (HAQ)"),
  groups: count
    .nullable()
    .optional()
    .describe(
      "output channels of a layer are decided in so many groups, by the variance of their weights; null: each alone; if left out 8, or as many as a layer has channels",
    ),
  widths: z
    .enum(["powers", "any"])
    .default("powers")
    .describe(
      "of weights, powers: 2, 4 and 8 bits, and 0 where a channel can be pruned; any: all from 0 to 8, which count as they are in the search and are then rounded up to 2, 4 or 8",
    ),
  objective: z
    .enum(["constrained", "guaranteed"])
    .default("constrained")
    .describe(
      "constrained: the best main metric within method.target; guaranteed: the largest log(metric² / √bit operations), without a budget",
    ),
  target: target.optional(),
  episodes: count
    .default(300)
    .describe("policies that are measured, and as many by random and by greedy search beside"),
  warmup: z.int().min(0).default(40).describe("of these, the first, drawn at random, before agents learn"),
  images: count.default(1000).describe("held-out images that policies are measured on, all where there are fewer"),
  ...quantization,
  weightRanges: quantization.weightRanges
    .unwrap()
    .default("per-channel")
    .describe("whether a weight has one learned range, or one for each output channel"),
});

/** What holds between the settings of a search, and between them and others. */
export function checkSearch(
  { objective, target, episodes, warmup }: z.output<typeof autoq>,
  { from, pretrain }: { readonly from?: string | undefined; readonly pretrain?: object | undefined },
  network: object,
  context: z.core.$RefinementCtx,
): void {
  const refuse = (path: readonly [string, string], input: unknown, message: string) =>
    context.addIssue({ code: "custom", path: [...path], message, input });
  if (from === undefined && pretrain === undefined && !("file" in network)) {
    const trained = "expected the folder of a run, or training.pretrain, or network.file";
    refuse(["training", "from"], from, `${trained}: method autoq searches on a trained network`);
  }
  if (objective === "constrained" && target === undefined)
    refuse(["method", "target"], target, "expected the budget: relativeBops or sizeBytes");
  if (objective === "guaranteed" && target !== undefined)
    refuse(["method", "target"], target, "expected nothing: objective guaranteed has no budget");
  if (warmup >= episodes)
    refuse(["method", "warmup"], warmup, `expected less than method.episodes (${episodes}): agents learn after it`);
}
