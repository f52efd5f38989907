import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { z } from "zod";

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
  kind: z.enum(["W8A8", "W8", "W4", "25 %"]),
  refusal: z.string().nullable(),
  layers: z.strictObject({ quantized: z.int(), of: z.int() }).nullable(),
  bytes: z.strictObject({ before: z.int(), after: z.int() }).nullable(),
  sqnrDb: z.number().nullable(),
  agreement: z.number().nullable(),
  /** Layers that cost most, where an output has less than 30 dB or keeps the class of less than 99 %. */
  spoilers: z.array(z.string()),
  /** Whether inputs and outputs have the names, order, types and sizes that they had. */
  sameInterface: z.boolean().nullable(),
  /** Words of onnxruntime-web where it does not run the file; "float: …" where it does not run the one that went in. */
  web: z.string().nullable(),
  wallSeconds: z.number(),
  peakMiB: z.number(),
});
export type Result = z.infer<typeof resultSchema>;

/** Results are appended one by one, so that a bench that was stopped goes on. */
export class Results {
  readonly #path: string;
  readonly #results: Result[];

  constructor(path: string) {
    this.#path = path;
    const lines = existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
    this.#results = lines.filter((line) => line !== "").map((line) => resultSchema.parse(JSON.parse(line)));
  }

  find(name: string, kind: Kind): Result | undefined {
    return this.#results.findLast((result) => result.name === name && result.kind === kind);
  }

  add(result: Result): void {
    this.#results.push(result);
    appendFileSync(this.#path, `${JSON.stringify(result)}\n`);
  }
}
