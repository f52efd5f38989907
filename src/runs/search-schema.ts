import { z } from "zod";
import { listOf } from "../core/list-schema.ts";

const finite = z.number();
const count = z.int().nonnegative();

const policy = z.object({
  score: finite.describe("the task's main metric on the held-out images, negative where lower is better"),
  cost: finite.describe("in the search's unit, by what the search counts"),
  reward: finite,
});

const found = policy.extend({ episode: count.describe("in which it was measured, counted from 0") });

export const searchName = z.enum(["autoq", "haq", "random", "greedy"]);

const searched = z.object({
  name: searchName,
  episodes: listOf(policy).describe("every policy that was measured, in order"),
  best: found.nullable().describe("of those that the objective permits; null: there was none"),
});

/** What a search for bit-widths came to, which a run trains with. */
export const searchSchema = z.object({
  images: count.describe("held-out images that policies were measured on"),
  floatScore: finite.describe("score of the network in float32"),
  unit: z.enum(["relativeBops", "sizeBytes"]).describe("what costs are counted in"),
  limit: finite.nullable().describe("the budget; null: there was none"),
  searches: listOf(searched).describe("the method's own first, then what it is held against"),
  layers: listOf(
    z.object({
      name: z.string(),
      goal: finite.nullable().describe("mean bits of its kernels that were aimed at; null: the search sets no goals"),
      achieved: finite.describe("mean bits that they got"),
      activation: finite.describe("bits of what it reads"),
    }),
  ).describe("of the method's best policy, before widths are rounded up"),
  rounded: count.describe("output channels whose width was rounded up to 2, 4 or 8"),
});

export type SearchName = z.infer<typeof searchName>;
export type SearchRecord = z.infer<typeof searchSchema>;
