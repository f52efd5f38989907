import { z } from "zod";
import { taskName } from "../config/sections/task-settings.ts";
import { listOf } from "../core/list-schema.ts";
import { findingsSchema } from "../tasks/create-task.ts";
import { taskDescriptionSchema } from "../tasks/metric.ts";
import { analysisSchema } from "./analysis.ts";
import { checkMetrics } from "./check-metrics.ts";
import { codebookAccountSchema, codebooksSchema } from "./codebooks-schema.ts";
import { codedSchema } from "./coded-schema.ts";
import { environment } from "./environment-schema.ts";
import { exportSchema } from "./export-schema.ts";
import { productResultsSchema, productsSchema } from "./products-schema.ts";
import { recordedConfig } from "./recorded-config.ts";
import { searchName, searchSchema } from "./search-schema.ts";
import { targets } from "./targets-schema.ts";

/** Version of the record's shape; a reader refuses newer ones and says so. */
export const recordVersion = 3;

const finite = z.number();
const count = z.int().nonnegative();
const metrics = z.record(z.string(), finite);
const percent = z.number().min(0).max(100);
const bits = z.literal([2, 3, 4, 8, 16, 32]);

const file = z.object({ name: z.string(), bytes: count, sha256: z.string() });

const dataset = z.object({
  name: z.string(),
  trainImages: count,
  validationImages: count,
  testImages: count,
  imageShape: z.array(count).describe("height, width, channels; of texts their tokens; of values their axes"),
  values: z.literal(true).optional().describe("samples are float32 numbers; absent: images or texts"),
  targets,
  files: listOf(file),
  normalization: z
    .object({ mean: z.array(finite), deviation: z.array(finite) })
    .nullable()
    .default(null)
    .describe("per channel: the network sees (pixel/255 - mean) / deviation"),
  damaged: z.array(z.string()).default([]).describe("images that could not be read and were left out"),
});

const layer = z.object({
  name: z.string(),
  kind: z.enum(["conv2d", "depthwise-conv2d", "conv-transpose", "dense", "embedding"]),
  weightShape: z
    .array(count)
    .describe("convolution: kernel height, kernel width, in, out; dense: in, out; embedding: vocabulary, units"),
  outputShape: z.array(count).describe("height, width, channels or units, before pruning"),
  macs: count.describe("multiply-accumulates for one image, before pruning"),
  parameters: count.describe("weights and biases, batch normalizations folded in, before pruning"),
  weightQuantizer: z.string().nullable(),
  inputQuantizer: z.string().nullable().describe("quantizer of the activation it reads; null: the network's input"),
});

const graphNode = z.object({
  id: z.string(),
  kind: z.string().describe("as in the network's definition: conv2d, dense, quantizer, add, …"),
  inputs: z.array(z.string()).describe("ids of the nodes whose output it reads"),
  shape: z.array(count).describe("of its output, without the batch, before pruning"),
});

const quantizer = z.object({
  id: z.string(),
  role: z.enum(["weight", "activation"]),
  layer: z.string().describe("the layer whose weight or output it quantizes"),
  signed: z.boolean(),
  channels: count.nullable().describe("number of pruning gates; null where channels cannot be pruned"),
  keepsAll: z
    .string()
    .optional()
    .describe("of a weight without pruning gates, where others have some: why its channels stay"),
  elements: count.describe("elements of the tensor; for activations, of one image"),
});

/** What one quantizer has learned at one moment. */
const learned = z.object({
  bits: bits.describe("with test-time gates; of the widest channel where they differ"),
  meanBits: finite.optional().describe("of the kept channels, where they have gates of their own"),
  centroids: count.optional().describe("of a weight that is codes into a codebook; its bits are those of float32"),
  probabilities: z
    .array(finite)
    .describe("probability that the gates of 4, 8, 16 and 32 bits are open, each by itself, in that order"),
  xMax: finite,
  kept: count.nullable().describe("channels whose pruning gate is open"),
  keepProbability: finite.nullable().describe("mean probability that a channel's pruning gate is open"),
});

const epoch = z.object({
  epoch: z.int().positive().describe("counted from 1: after this many epochs"),
  step: count.describe("training steps done so far"),
  train: z.object({
    loss: finite.describe("the task's, with the prior"),
    taskLoss: finite,
    complexity: finite.describe("sum of the quantizers' prior terms before the prior strength"),
    metrics: metrics.describe("of the images as they were trained on; those of the task's that training takes"),
  }),
  evaluation: z
    .object({ split: z.enum(["test", "validation"]), taskLoss: finite, metrics })
    .describe("with test-time gates"),
  relativeBops: finite.describe("percent of the 32-bit network's bit operations, test-time gates"),
  learningRates: z
    .object({ weights: finite, gates: finite, ranges: finite })
    .describe("at the epoch's start; 0 where a group rests"),
  phase: z
    .enum(["pretraining", "training", "settling", "fine-tuning"])
    .optional()
    .describe("pretraining: in float32, quantizers stand at their start; settling: gates are fixed"),
  priorStrength: finite.optional().describe("mu at the epoch's end; absent where no gate learns"),
  quantizers: z.record(z.string(), learned),
});

const layerResult = z.object({
  name: z.string(),
  weightBits: bits.describe("of the widest channel where they differ"),
  channelBits: z
    .array(z.literal([0, 2, 4, 8, 16, 32]))
    .optional()
    .describe("where output channels have widths of their own: of each before pruning, 0 where it is gone"),
  inputBits: bits,
  keptOutputs: count,
  outputs: count,
  keptInputs: count,
  inputs: count,
  bops: finite,
  bopsAuthors: finite.optional().describe("by the authors' formula, where it was counted"),
  share: percent.describe("of the network's bit operations"),
  parameters: count.describe("weights and biases left after pruning"),
  bytes: count.describe("of the packed weight and its float32 bias"),
  codebook: codebookAccountSchema.optional().describe("where the weight is codes into a codebook"),
});

const result = z.object({
  metrics: metrics.describe("of the test set, last epoch, test-time gates"),
  taskLoss: finite,
  sampledMetrics: metrics.describe("of the test set with gates sampled as in training"),
  relativeBops: finite,
  relativeBopsAuthors: finite.describe("by the authors' formula, which counts input pruning on straight chains only"),
  bytes: z.object({
    packed: count.describe("weights at their learned bits and float32 biases, pruned channels gone"),
    fp32: count.describe("the unpruned network in float32"),
  }),
  channels: z.object({ kept: count, of: count }),
  parameters: z.object({ kept: count, of: count }),
  macs: z.object({ kept: finite, of: count }).optional().describe("multiply-accumulates for one image"),
  layers: listOf(layerResult),
  products: productResultsSchema.optional().describe("of products of activations; absent where there are none"),
  coded: listOf(codedSchema).optional().describe("embeddings by codes; absent where there are none"),
  diverged: z.string().optional().describe("what shows that training diverged; absent where nothing does"),
});

const layerwise = z.object({
  name: z.string(),
  bits: bits.describe("of the widest channel"),
  meanBits: finite.optional().describe("of all channels, where they have widths of their own"),
  nearestError: finite.describe(
    "of rounding to nearest: mean over positions of the outputs' squared differences, summed",
  ),
  error: finite.describe("the same of what was kept"),
  flipped: z.number().min(0).max(1).describe("share of the weights whose code is not the nearest on the final step"),
  settled: z.number().min(0).max(1).nullable().describe("share of the choices learned that have come to an end"),
  iterations: count.describe("optimizer steps, or most passes over the digits of a channel"),
  dead: z.boolean().describe("whether all its inputs are zero on all calibration images"),
});

const postTraining = z.object({
  images: count.describe("calibration images"),
  floatMetrics: metrics.describe("of the test set, before anything is quantized"),
  bits: z
    .record(z.string(), z.union([bits, listOf(z.literal([2, 4, 8, 16]))]))
    .describe("what each quantizer is to get: a weight, or each of its output channels"),
  layers: listOf(layerwise).describe("those done so far, in order"),
  quantizers: z.record(z.string(), learned),
});

const times = z.object({
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
  seconds: finite.describe("of computing, over all sessions of the run"),
  epochSeconds: z.array(finite),
  layerSeconds: z.array(finite).optional().describe("of each layer that was quantized after training"),
  searchSeconds: z.partialRecord(searchName, finite).optional().describe("of each search for bit-widths"),
  waitingForData: z
    .array(percent)
    .default([])
    .describe("for each epoch, percent of its training, without evaluation, spent waiting for images"),
});

/**
 * Everything a report needs to know of a run. Only `times` and measured latency differ between two runs of the same
 * configuration and seed on the same machine, engine and thread count.
 */
export const recordSchema = z
  .object({
    format: z.literal("bayesian-bits-run"),
    version: z.literal(recordVersion),
    name: z.string(),
    status: z.enum(["running", "stopped", "failed", "finished"]),
    seed: count,
    config: recordedConfig.describe("the resolved configuration"),
    configHash: z.string().describe("SHA-256 of the resolved configuration"),
    environment: environment.describe("where it began"),
    laterEnvironments: listOf(
      environment.extend({
        epoch: count.describe("whole epochs done before"),
        step: count.describe("training steps, or layers, done before"),
      }),
    )
      .optional()
      .describe("where it was continued, each time that this was another environment than before"),
    task: taskDescriptionSchema.extend({ name: taskName }),
    data: dataset,
    network: z.object({
      name: z.string(),
      file: file.nullable().default(null).describe("the ONNX file that it was taken from; null: a network of the zoo"),
      inputShape: z.array(count),
      parameters: count,
      macs: count,
      layers: listOf(layer),
      products: productsSchema.optional().describe("of two activations, as in attention; absent where there are none"),
      graph: listOf(graphNode)
        .optional()
        .describe("what leads from images to logits, in topological order; weights and biases are left out"),
    }),
    teacher: file.optional().describe("the ONNX file that the network learns from, where it learns from one"),
    quantizers: listOf(quantizer),
    startLoss: finite.optional().describe("the task's loss in the first step, before its update"),
    epochs: listOf(epoch),
    search: searchSchema.optional().describe("of methods that search for bit-widths: what they train with"),
    codebooks: codebooksSchema.optional().describe("of methods that make weights codes into codebooks"),
    postTraining: postTraining.optional().describe("of methods that quantize a trained network layer by layer"),
    result: result.nullable(),
    findings: findingsSchema.nullable().describe("what the task finds of the trained network on the test set"),
    analysis: analysisSchema.nullable().optional(),
    exports: listOf(exportSchema).describe("the files written of it, each once: model.onnx first"),
    warnings: listOf(z.object({ step: count, message: z.string() })),
    times,
  })
  .superRefine(checkMetrics);

export type RunRecord = z.infer<typeof recordSchema>;
export type Environment = RunRecord["environment"];
export type EpochRecord = RunRecord["epochs"][number];
export type PostTraining = NonNullable<RunRecord["postTraining"]>;
export type LearnedQuantizer = EpochRecord["quantizers"][string];
export type RunResult = NonNullable<RunRecord["result"]>;
export type ExportRecord = RunRecord["exports"][number];
export type Verification = NonNullable<ExportRecord["verification"]>;
