import { z } from "zod";
import { count } from "../numbers.ts";
import { batches, dataName, folderPath } from "./image-settings.ts";

/** Texts with their classes. */
export const text = z.strictObject({
  name: dataName("text"),
  corpus: z
    .enum(["reuters-r8"])
    .optional()
    .describe("texts that are fetched once into the cache: news of eight classes, for research alone"),
  folder: folderPath
    .optional()
    .describe(
      "folder with train and test, each a folder with one folder of .txt files per class or a table (.csv, .tsv, .jsonl) of texts and their classes, or with one of these alone",
    ),
  testShare: z
    .number()
    .gt(0)
    .max(0.5)
    .optional()
    .describe("share of each class that is set aside for tests, where the folder has no part for them"),
  columns: z
    .strictObject({
      text: z.string().min(1).default("text").describe("of the texts"),
      label: z.string().min(1).default("label").describe("of their classes"),
    })
    .prefault({})
    .describe("names in a table's first line, or in its objects"),
  maxTokens: count.default(256).describe("tokens of a text that count: what follows is cut off"),
  vocabulary: z
    .strictObject({
      kind: z
        .enum(["words", "subwords"])
        .default("words")
        .describe("words, or parts of them that byte-pair encoding finds"),
      size: z
        .int()
        .min(4)
        .max(2 ** 20)
        .default(20000)
        .describe("tokens at most, padding and unknown among them"),
      minimum: count.default(2).describe("how often a word stands in the training texts at least"),
      lowercase: z.boolean().default(true).describe("whether texts are put in lower case"),
    })
    .prefault({})
    .describe("made of the texts that are trained on, the most frequent first"),
  ...batches,
});

/** What must hold between its settings. */
export function checkText({ corpus, folder }: z.output<typeof text>, context: z.RefinementCtx): void {
  if ((corpus === undefined) !== (folder === undefined)) return;
  const message = "expected either a folder or a corpus";
  context.addIssue({ code: "custom", path: ["folder"], message, input: folder });
}
