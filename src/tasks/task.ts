import type { TaskName } from "../config/sections/task-settings.ts";
import type { ByteBatch, Dataset, ImageShape } from "../data/dataset.ts";
import type { Targets } from "../data/targets.ts";
import type { Ops, Tensor } from "../engine/ops.ts";
import type { Agreement } from "./agreement.ts";
import type { Metrics, TaskDescription } from "./metric.ts";

/** Sums over images, by name: what a checkpoint keeps of an epoch in progress. */
export type Sums = Readonly<Record<string, number>>;

/** A task's targets of a batch on the engine. */
export type Uploaded = readonly Tensor[];

export interface Loss {
  /** Scalar. */
  readonly loss: Tensor;
  /** With respect to the outputs, [batch, outputs]. */
  readonly gradient: Tensor;
}

/** Images with what the network made of them and what it should have. */
export interface EvaluatedBatch {
  readonly count: number;
  /** [count, height, width, channels]. */
  readonly images: Uint8Array;
  /** [count, outputs], row by row. */
  readonly outputs: Float32Array;
  readonly targets: Targets;
}

/** Takes the batches of a split, whose arrays are the engine's again when `add` returns. */
export interface Evaluator {
  add(batch: Omit<EvaluatedBatch, "outputs"> & { readonly outputs: ArrayLike<number> }): void;
  readonly metrics: Metrics;
}

/** Keeps a number of a network's answer to each image, by which an examiner of another network sees where they differ. */
export interface Answers {
  add(batch: EvaluatedBatch): void;
  /** [images], in order of evaluation. */
  readonly values: Float32Array;
}

/** Looks closer at a trained network than an evaluator: what the record keeps for the report. */
export interface Examiner<Findings = unknown> {
  add(batch: EvaluatedBatch): void;
  readonly findings: Findings;
}

/** What samples are like. */
export type SampleDescription = Pick<Dataset, "name" | "imageShape" | "normalization" | "tokens">;

/** What a network learns on a data set: its loss, its figures, and what is looked at when it has learned. */
export interface Task<Findings = unknown> {
  readonly name: TaskName;
  /** Values that the network gives for each image. */
  readonly outputs: number;
  /** Of the network's last axis: what its last layer has. */
  readonly units: number;
  readonly description: TaskDescription;
  /** Of classes: how many outputs side by side (last axis) are the logits of one softmax; null: outputs are values. */
  readonly softmax: number | null;
  /** What another network's outputs, [count, outputs], say of samples that have no labels. */
  labelsFrom(outputs: Float32Array): Targets;
  /** Uploads what `loss` and `sums` compare with. */
  targets(ops: Ops, batch: ByteBatch): Uploaded;
  /** Mean over the batch. */
  loss(ops: Ops, outputs: Tensor, targets: Uploaded): Loss;
  /** What of a training step's batch adds up to the epoch's figures. */
  sums(ops: Ops, outputs: Tensor, targets: Uploaded): Sums;
  /** The epoch's figures, some of the metrics, from its sums. */
  figures(sums: Sums, images: number): Metrics;
  evaluator(): Evaluator;
  /** Null where answers are not right or wrong. */
  answers(): Answers | null;
  /**
   * @param imageShape null: of texts, of which no pictures are shown.
   * @param float The answers that the same network gave in float32; null where it was not asked.
   */
  examiner(imageShape: ImageShape | null, float: Float32Array | null): Examiner<Findings>;
  /** @param trainer The metrics as the training measured them; null: what the trainer's outputs give. */
  agreement(trainer: Metrics | null): Agreement;
}
