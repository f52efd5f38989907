import { z } from "zod";
import { count } from "./numbers.ts";

export const report = z
  .strictObject({
    sensitivity: z
      .union([
        z.literal(false),
        z.strictObject({
          images: count.default(2000).describe("at most so many images, held out ones where there are some"),
          share: z
            .number()
            .gt(0)
            .max(1)
            .default(0.05)
            .describe("at most this share of what training computes: fewer images then, and below 32 none"),
        }),
      ])
      .prefault({})
      .describe(
        "measures after training each tensor's signal-to-noise ratio, and the main metric with it alone at 8 bits and at the next lower width; false: does not",
      ),
  })
  .prefault({})
  .describe("what is measured for the report");
