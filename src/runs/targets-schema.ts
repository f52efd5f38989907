import { z } from "zod";

const count = z.int().nonnegative();

/** What the data say of each sample. */
export const targets = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.literal("classes"), names: z.array(z.string()) }),
    z.object({ kind: z.literal("values"), outputs: count.describe("values of each image") }),
    z.object({ kind: z.literal("labels"), names: z.array(z.string()) }),
    z.object({
      kind: z.literal("masks"),
      names: z.array(z.string()),
      size: z.tuple([count, count]).describe("height and width"),
    }),
    z.object({ kind: z.literal("none") }),
  ])
  .describe("what the network is to give for each image");
