import { z } from "zod";
import { exportForms, exportInputs } from "../config/sections/export-settings.ts";
import { listOf } from "../core/list-schema.ts";
import { figureSchema } from "../tasks/metric.ts";

const finite = z.number();
const count = z.int().nonnegative();
const percent = z.number().min(0).max(100);
const metrics = z.record(z.string(), finite);

const latency = z.object({
  batch: count,
  threads: count.optional().describe("of the runtime; older records do not tell"),
  medianMs: finite.describe("of the exported file, for one batch"),
  fp32MedianMs: finite.describe("of the same network in float32, unpruned"),
});

const verification = z.object({
  runtime: z.string().describe("name and version of the runtime that ran the file"),
  images: count,
  metrics: metrics.describe("of the file"),
  trainerMetrics: metrics,
  agreement: listOf(figureSchema).describe("how near the file's outputs are to the trainer's, in the task's terms"),
  layers: listOf(
    z.object({
      name: z.string(),
      elements: count,
      equalCodes: percent,
      largestDifference: count.describe("in codes, on the runtime's own inputs"),
      boundaryDistance: finite
        .optional()
        .describe("steps between a rounding boundary and the farthest value that got another code; 0: none did"),
    }),
  ),
  kernels: z
    .object({
      integer: count.describe("layers in integer kernels"),
      float: z.array(z.string()).describe("names of those in float32"),
    })
    .optional()
    .describe("what the layers run in, as the runtime optimized the file; older records do not tell"),
  latency: listOf(latency).optional().describe("measured in this runtime on the machine that verified"),
});

/** An exported file, and what a runtime made of it. */
export const exportSchema = z.object({
  form: z.enum(exportForms),
  input: z.enum(exportInputs).optional().describe("what the file takes: pixels, or normalised images"),
  file: z.string(),
  bytes: count,
  sha256: z.string(),
  opset: count.optional().describe("of an ONNX file"),
  notes: z.array(z.string()).optional().describe("what the form keeps in float32; older records do not tell"),
  verification: verification.nullable(),
});
