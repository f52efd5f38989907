import { z } from "zod";
import { saturations } from "../config/sections/export-settings.ts";

/** The record of a quantized file, in its folder. */
export const quantizedFile = "quantized.json";

const output = z.strictObject({
  name: z.string(),
  sqnrDb: z.number().nullable(),
  cosine: z.number().nullable(),
  same: z.boolean(),
  agreement: z.number().nullable(),
  finite: z.boolean(),
});

/** What `quantize` did with a file, and how the result compares with it. */
export const quantizedRecordSchema = z.strictObject({
  version: z.literal(1),
  source: z.strictObject({ file: z.string(), sha256: z.string(), bytes: z.number().int() }),
  settings: z.strictObject({
    method: z.literal("nearest"),
    weights: z.union([z.literal(2), z.literal(3), z.literal(4), z.literal(8)]),
    activations: z.union([z.literal(8), z.literal(16), z.literal(32)]),
    data: z.string().nullable(),
    saturation: z.enum(saturations).optional().describe("older records do not tell: avoid"),
    skip: z.array(z.string()),
    seed: z.number().int(),
  }),
  bytes: z.number().int(),
  layers: z.array(
    z.strictObject({
      name: z.string(),
      operator: z.string(),
      shape: z.array(z.number().int()),
      bits: z.number().int(),
      /** Whether it computes in integers of 8 bits. */
      integer: z.boolean(),
    }),
  ),
  left: z.array(z.strictObject({ name: z.string(), operator: z.string(), reason: z.string() })),
  activations: z.array(
    z.strictObject({ name: z.string(), bits: z.number().int(), step: z.number(), zero: z.number() }),
  ),
  /** Samples that activations were calibrated on. */
  calibrated: z.number().int(),
  /** On samples that calibration did not see; null: there were none to compare on. */
  comparison: z.strictObject({ samples: z.number().int(), outputs: z.array(output) }).nullable(),
  /** What onnxruntime runs the written file's layers in, and the names of those in float. */
  kernels: z.strictObject({ integer: z.number().int(), float: z.array(z.string()) }),
  notes: z.array(z.string()),
  runtime: z.string(),
  seconds: z.number(),
});

export type QuantizedRecord = z.infer<typeof quantizedRecordSchema>;
