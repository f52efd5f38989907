import { z } from "zod";
import { quantizeSchema } from "../config/quantize-schema.ts";
import { fileMethods } from "../config/sections/methods/layerwise-settings.ts";
import { activationBits, channelDigits, harmTableSchema } from "./harm-table.ts";

/** The record of a quantized file, in its folder. */
export const quantizedFile = "quantized.json";

/** As that, with the name of one model among several. */
const recordName = /^quantized((?:\..+)?)\.json$/;

/** Whether a file has the name of a record. */
export const isRecordName = (name: string): boolean => recordName.test(name);

/** What lies beside a record, by its name: of `quantized.NAME.json`, `bits.NAME.json` and so on. */
export function placesBeside(record: string): {
  readonly record: string;
  readonly bits: string;
  readonly report: string;
  /** The configuration that quantizes the file in the same way. */
  readonly settings: string;
} {
  const [, own = ""] = recordName.exec(record) ?? [];
  return { record, bits: `bits${own}.json`, report: `report${own}.html`, settings: `quantize${own}.yaml` };
}

const output = z.strictObject({
  name: z.string(),
  sqnrDb: z.number().nullable(),
  cosine: z.number().nullable(),
  same: z.boolean(),
  otherSizes: z.boolean().default(false),
  agreement: z.number().nullable(),
  /** Percent of the samples whose class is right, of the written file and of the one that went in. */
  top1: z.number().nullable(),
  top1Float: z.number().nullable(),
  finite: z.boolean(),
});

/** How widths were chosen by a budget. */
const plans = z.strictObject({
  budget: z.string(),
  table: harmTableSchema,
  /** Those that were looked at, the chosen one first; widths in the table's order. */
  plans: z.array(
    z.strictObject({
      origin: z.enum(["uniform", "knapsack", "refined"]),
      /** On average, where output channels of a weight have widths of their own. */
      bits: z.array(z.number()),
      /** Of the table's activations; empty where the budget chose none. */
      activations: z.array(activationBits).default([]),
      bytes: z.number(),
      /** Bit operations in percent of those at 32 bits everywhere; null: the budget was one of bytes. */
      relativeBops: z.number().nullable().default(null),
      error: z.number().nullable(),
    }),
  ),
});

/** What is said of outputs below the thresholds, and which weights cost most. */
const loss = z.strictObject({
  minSqnrDb: z.number(),
  minAgreement: z.number(),
  /** Names of outputs. */
  outputs: z.array(z.string()),
  text: z.string(),
  weightsDb: z.number().nullable(),
  layers: z.array(
    z.strictObject({
      layers: z.array(z.string()),
      bits: z.number(),
      instead: z.literal([8, 32]),
      gainDb: z.number().nullable(),
    }),
  ),
  togetherDb: z.number().nullable(),
});

/** What `quantize` did with a file, and how the result compares with it. */
export const quantizedRecordSchema = z.strictObject({
  version: z.literal(2),
  /** Paths are whole; the checksum is of the file and of the weights that lie in others. */
  source: z.strictObject({ file: z.string(), sha256: z.string(), bytes: z.number().int() }),
  /** With all that was found of what it leaves out; it quantizes the file in the same way. */
  settings: quantizeSchema,
  /** Of the file with samples, or of the data set's files; null: there was no data. */
  dataSha256: z.string().nullable(),
  bytes: z.number().int(),
  layers: z.array(
    z.strictObject({
      name: z.string(),
      operator: z.string(),
      shape: z.array(z.number().int()),
      /** Of each number, on average. */
      bits: z.number(),
      /** Where output channels have widths of their own. */
      channelBits: channelDigits.optional(),
      /** Where it is codes into a codebook. */
      codebook: z.strictObject({ blockSize: z.number().int(), centroids: z.number().int() }).optional(),
      /** What has a step: the whole weight, an output channel, or so many inputs of one. */
      granularity: z.union([z.literal(["tensor", "channel"]), z.number().int()]).default("channel"),
      /** What found its codes: layers that a method cannot solve are rounded to nearest. */
      method: z.enum(fileMethods).default("nearest"),
      /** Whether it computes in integers of 8 bits. */
      integer: z.boolean(),
      /** Of its packed codes, and the order of rows of several widths; null: an older record does not tell. */
      bytes: z.number().int().nullable().default(null),
      /**
       * Signal-to-noise ratio of what it hands on in the written file, against the file that went in (`noiseMeter`); null:
       * not one number differs, or there was nothing to compare.
       */
      sqnrDb: z.number().nullable().default(null),
      /** Whether not one number of that differs. */
      same: z.boolean().default(false),
    }),
  ),
  left: z.array(z.strictObject({ name: z.string(), operator: z.string(), reason: z.string() })),
  activations: z.array(
    z.strictObject({ name: z.string(), bits: z.number().int(), step: z.number(), zero: z.number() }),
  ),
  /** Null: there was no budget. */
  plan: plans.nullable().default(null),
  /** Samples that activations were calibrated on. */
  calibrated: z.number().int(),
  /** On samples that calibration did not see; null: there were none to compare on. */
  comparison: z
    .strictObject({
      samples: z.number().int(),
      outputs: z.array(output),
    })
    .nullable(),
  /** Null: every output is above the thresholds, or was compared with nothing. */
  loss: loss.nullable().default(null),
  /** What onnxruntime runs the written file's layers in, and the names of those in float. */
  kernels: z.strictObject({ integer: z.number().int(), float: z.array(z.string()) }),
  notes: z.array(z.string()),
  /** What was written beside the record, but for the report, which can be made again. */
  files: z.array(z.strictObject({ path: z.string(), bytes: z.number().int(), sha256: z.string() })).default([]),
  runtime: z.string(),
  seconds: z.number(),
});

export type QuantizedRecord = z.infer<typeof quantizedRecordSchema>;
