import { z } from "zod";
import { listOf } from "../core/list-schema.ts";

const finite = z.number();
const count = z.int().nonnegative();

const layer = z.object({
  name: z.string(),
  blockSize: z.int().positive().describe("weights that have one code"),
  centroids: z.int().positive().describe("entries of the codebook"),
  notes: z.array(z.string()).describe("where these are not what was asked for, why"),
  objective: listOf(finite).describe(
    "of each iteration: what is lost of the squares of inputs · block, summed over blocks, as a share; of the blocks' own squares where they are clustered by themselves",
  ),
  splits: count.describe("how often an empty cluster was given a centroid anew"),
  occupancy: listOf(count).describe("blocks of each cluster, the fewest first"),
  finetuned: z
    .object({ steps: count, lossBefore: finite, lossAfter: finite })
    .nullable()
    .describe(
      "the divergence from the float network in the first steps and in the last; null: it did not learn by itself",
    ),
  dead: z.boolean().describe("whether all its inputs are zero on all calibration images"),
});

/** What a weight takes as codes and codebook. */
export const codebookAccountSchema = z.object({
  blockSize: z.int().positive().describe("weights that have one code"),
  centroids: z.int().positive().describe("entries of the codebook"),
  bitsPerWeight: finite.describe("of the codes: log2 of the centroids over the block size"),
  countedIndexBytes: finite.describe("of the codes at log2 of the centroids, as the authors count"),
  codeBits: z.literal([2, 4, 8, 16]).describe("that a code takes in a file"),
  indexBytes: count.describe("of the codes in a file"),
  codebookBytes: count.describe("of the centroids in float16"),
});

/** What making weights codes into codebooks came to. */
export const codebooksSchema = z.object({
  images: count.describe("calibration images; 0: blocks were clustered by themselves"),
  floatMetrics: z.record(z.string(), finite).describe("of the test set, before anything is quantized"),
  metrics: z
    .record(z.string(), finite)
    .nullable()
    .describe("of the test set, behind the last layer, before all codebooks learn together"),
  layers: listOf(layer).describe("those done so far, in order"),
});

export type CodebooksRecord = z.infer<typeof codebooksSchema>;
