import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const port = z.object({ name: z.string(), type: z.string(), shape: z.array(z.unknown()) });
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
      inputs: z.array(port),
      outputs: z.array(port),
      onnxruntimeNode: z.object({ loads: z.boolean(), runs: z.boolean().nullable() }),
      data: z.object({ file: z.string(), real: z.boolean() }).nullable(),
    }),
  ),
});

/** A model of the corpus that `npm run corpus -- FOLDER` has made. */
export type CorpusModel = z.infer<typeof indexSchema>["models"][number];

export const readIndex = (corpus: string): readonly CorpusModel[] =>
  indexSchema.parse(JSON.parse(readFileSync(join(corpus, "index.json"), "utf8"))).models;
