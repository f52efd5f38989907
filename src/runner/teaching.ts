import type { Distillation } from "../config/sections/loss-settings.ts";
import { at } from "../core/elements.ts";
import { UserError } from "../core/errors.ts";
import { lookup } from "../core/lookup.ts";
import { mean } from "../core/mean.ts";
import type { Reporter } from "../core/progress.ts";
import type { ByteBatch, Dataset } from "../data/dataset.ts";
import type { Network } from "../kinds/index.ts";
import type { NetworkFile } from "../network/onnx/read-network-file.ts";
import type { StoredTensor } from "../runs/safetensors.ts";
import type { DistilledHead } from "../tasks/distillation/distance-of-heads.ts";
import type { Task } from "../tasks/task.ts";
import { Variation } from "../tasks/variation.ts";
import { FloatTeacher, type Teacher } from "../training/float-teacher.ts";
import type { Model } from "../training/model.ts";
import { type FileTeacher, openFileTeacher } from "./file-teacher.ts";
import { type OutputsKey, TeacherOutputs } from "./teacher-outputs.ts";

/** Where checkpoints have the variance. */
const tensor = "teacher-variance";
/** Training samples that it is measured on, at most. */
const measured = 1024;

interface TaughtRun {
  readonly model: Model;
  /** The network in float32 that quantizers go into. */
  readonly plain: Network;
  readonly dataset: Dataset;
  readonly task: Pick<Task, "outputs" | "softmax" | "labelsFrom">;
  readonly threads: number | undefined;
  /** What decides the teacher's outputs beside itself: data, engine. */
  readonly outputsKey: OutputsKey;
  /** Where the network gives several outputs side by side. */
  readonly heads?: readonly DistilledHead[] | undefined;
}

/** A run's teacher, and what of it outlives a session. */
export class Teaching implements AsyncDisposable {
  readonly distillation: Distillation;
  readonly #run: TaughtRun;
  readonly #float: FloatTeacher | null;
  readonly #file: FileTeacher | null;
  readonly #teacher: Teacher;
  /** Of each output's values. */
  readonly #variances: Float64Array;
  /** Where they are kept. */
  #kept: TeacherOutputs | null = null;

  private constructor(distillation: Distillation, run: TaughtRun, teacher: FloatTeacher | FileTeacher) {
    this.distillation = distillation;
    this.#run = run;
    this.#variances = new Float64Array(this.#heads.length).fill(1);
    [this.#float, this.#file] = teacher instanceof FloatTeacher ? [teacher, null] : [null, teacher];
    this.#teacher = teacher;
  }

  /** @throws UserError where the teacher's file does not do. */
  static async open(distillation: Distillation, run: TaughtRun): Promise<Teaching> {
    const { dataset, task, model, plain, threads, heads } = run;
    const { teacher: path } = distillation;
    const teacher =
      path === undefined
        ? new FloatTeacher(model, plain, dataset)
        : await openFileTeacher(path, { data: dataset, task, heads, ops: model.ops, threads });
    return new Teaching(distillation, run, teacher);
  }

  get #heads(): readonly { readonly size: number }[] {
    const { heads, task } = this.#run;
    return heads ?? [{ size: task.outputs }];
  }

  /** The file that the teacher is; null: the run's own network in float32. */
  get file(): NetworkFile | null {
    return this.#file?.file ?? null;
  }

  /**
   * Of the teacher's outputs on training samples, about each value's mean, mean over the values of an output; 1 where they
   * never vary.
   */
  variance(head: number): number {
    return at(this.#variances, head);
  }

  /** Takes the network as it stands for the teacher, where no file is one, and measures what its outputs are like. */
  async begin(): Promise<void> {
    this.#float?.take();
    const { dataset, task } = this.#run;
    if (task.softmax !== null) return;
    const variations = Array.from({ length: task.outputs }, () => new Variation());
    for await (const batch of dataset.train.batches({ batchSize: 128, limit: measured })) {
      if (batch.count === 0) continue;
      for (const [index, value] of (await this.#teacher.outputs(batch)).entries())
        at(variations, index % task.outputs).add(value);
    }
    let from = 0;
    for (const [head, { size }] of this.#heads.entries()) {
      const own = variations.slice(from, from + size);
      this.#variances[head] = mean(own.map(({ squares, count }) => squares / count)) || 1;
      from += size;
    }
  }

  /** Asks the teacher for all samples where its outputs are to be kept and are not yet. */
  async keepOutputs(reporter: Reporter): Promise<void> {
    if (!this.distillation.cache || this.#kept !== null) return;
    const { dataset, task } = this.#run;
    const { train, validation, test } = dataset;
    this.#kept =
      this.#readKept() ??
      (await TeacherOutputs.make(this.#key, {
        ...{ teacher: this.#teacher, outputs: task.outputs, reporter },
        splits: [train, ...(validation ? [validation] : []), test],
      }));
  }

  #readKept(): TeacherOutputs | null {
    return this.distillation.cache ? TeacherOutputs.read(this.#key) : null;
  }

  get #key(): OutputsKey {
    return { ...this.#run.outputsKey, teacher: this.#file?.file.sha256 ?? this.#float?.sha256 };
  }

  /** A batch with what the teacher gives for it, which are its labels where it has none. @throws UserError where that is not finite. */
  async teach(batch: ByteBatch): Promise<ByteBatch> {
    const teacher = this.#kept?.of(batch) ?? (await this.#teacher.outputs(batch));
    if (!teacher.every(Number.isFinite)) {
      const name = this.file?.name ?? "the float32 network";
      throw new UserError(
        `cannot learn from ${name}: an output is not finite; look at its weights, and at data.normalization`,
      );
    }
    const labels = batch.targets.kind === "none" ? this.#run.task.labelsFrom(teacher) : batch.targets;
    return { ...batch, targets: { ...labels, teacher } };
  }

  get tensors(): ReadonlyMap<string, StoredTensor> {
    return new Map([
      ...(this.#float?.tensors ?? []),
      [tensor, { shape: [this.#variances.length], values: this.#variances }],
    ]);
  }

  /** Takes up what a checkpoint has under {@link tensors}; those of codebooks from before there were other teachers count in 1. */
  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    this.#float?.restore(tensors);
    if (tensors.has(tensor)) this.#variances.set(lookup(tensors, tensor).values);
    this.#kept = this.#readKept();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#float?.[Symbol.dispose]();
    await this.#file?.[Symbol.asyncDispose]();
  }
}
