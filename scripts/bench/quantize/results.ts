import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { parseLine } from "../../../src/runs/appended-log.ts";

/** What is asked of `quantize`, as the tables name it. */
export const kinds = {
  W8A8: { arguments: ["--weights", "8"], needsData: true },
  W8: { arguments: ["--weights", "8", "--activations", "32"], needsData: false },
  W4: { arguments: ["--weights", "4", "--activations", "32"], needsData: false },
  "25 %": { arguments: ["--budget", "25%", "--activations", "32", "--method", "nearest"], needsData: false },
} as const;
export type Kind = keyof typeof kinds;

const resultSchema = z.strictObject({
  name: z.string(),
  kind: z.enum(Object.keys(kinds) as [Kind, ...Kind[]]),
  /** Hash of the program that did it: another one does it again. */
  program: z.string(),
  wallSeconds: z.number(),
  peakMiB: z.number(),
  /** Words of the refusal; null: there is a file. */
  refusal: z.string().nullable(),
  /** null: it was refused. */
  written: z
    .strictObject({
      layers: z.strictObject({ quantized: z.int(), of: z.int() }),
      bytes: z.strictObject({ before: z.int(), after: z.int() }),
      /** Whether outputs were compared. */
      compared: z.boolean(),
      /** The least of all outputs; null: they are the same, or were not compared. */
      sqnrDb: z.number().nullable(),
      agreement: z.number().nullable(),
      /** Layers that cost most, where an output has less than 30 dB or keeps the class of less than 99 %. */
      spoilers: z.array(z.string()),
      /** Whether inputs and outputs have the names, order, types and sizes that they had. */
      sameInterface: z.boolean(),
      /** Words of onnxruntime-web where it does not run the file; "float: …" where not the one that went in either. */
      web: z.string().nullable(),
    })
    .nullable(),
});
export type Result = z.infer<typeof resultSchema>;

/** Results are appended one by one, so that a bench that was stopped goes on. */
export class Results {
  readonly #path: string;
  readonly #results: Result[];

  constructor(path: string) {
    this.#path = path;
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    // A bench that was killed may have left a part of a line, and an older one lines of another form.
    this.#results = text.split("\n").flatMap((line) => resultSchema.safeParse(parseLine(line)).data ?? []);
    if (text !== "" && !text.endsWith("\n")) appendFileSync(path, "\n");
  }

  /** @param program Only of this one, where it is given. */
  find(name: string, kind: Kind, program?: string): Result | undefined {
    return this.#results.findLast(
      (result) => result.name === name && result.kind === kind && (program === undefined || result.program === program),
    );
  }

  add(result: Result): void {
    this.#results.push(result);
    appendFileSync(this.#path, `${JSON.stringify(result)}\n`);
  }
}
