import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const indexSchema = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      set: z.enum(["packages", "architectures"]),
      file: z.string(),
      from: z
        .object({ package: z.string(), version: z.string() })
        .or(z.object({ exporter: z.string() }))
        .nullable(),
      onnxruntimeNode: z.object({ loads: z.boolean() }),
      data: z.object({ file: z.string() }).nullable(),
    }),
  ),
});

/** A model of the corpus that `npm run corpus -- FOLDER` has made. */
export type CorpusModel = z.infer<typeof indexSchema>["models"][number];

export const readIndex = (corpus: string): readonly CorpusModel[] =>
  indexSchema.parse(JSON.parse(readFileSync(join(corpus, "index.json"), "utf8"))).models;
