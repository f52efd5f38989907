import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** What `npm run bench:records` has measured. */
export const latenciesFile = "reports/latencies.ndjson";

const line = z.object({
  config: z.string(),
  run: z.string(),
  cpu: z.string(),
  batch: z.int(),
  threads: z.int(),
  medianMs: z.number(),
  fp32MedianMs: z.number(),
});

/** How fast the network of a published run is in onnxruntime, beside float32. */
export type RecordLatency = z.infer<typeof line>;

export function readLatencies(project = "."): readonly RecordLatency[] {
  const file = join(project, latenciesFile);
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((text) => line.parse(JSON.parse(text)));
}
