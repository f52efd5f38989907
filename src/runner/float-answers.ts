import { UserError } from "../core/errors.ts";
import type { StoredTensor } from "../runs/safetensors.ts";
import type { EvaluatedBatch } from "../tasks/task.ts";
import type { Evaluation } from "../training/evaluate.ts";
import type { Prepared } from "./prepare.ts";

/** Where checkpoints have them. */
const tensor = "float-answers";

type AskedRun = Pick<Prepared, "task" | "model" | "config" | "networkFile">;

/**
 * What the network said of the test images in float32, for what is found of it at the end: where its layers are quantized
 * one after another or it has trained weights to begin with, before the first is quantized; else when it is pretrained.
 */
export class FloatAnswers {
  readonly #prepared: AskedRun;
  #values: Float32Array | null = null;

  constructor(prepared: AskedRun) {
    this.#prepared = prepared;
  }

  /** [images]; null where it was not asked, or its task has no right and wrong. */
  get values(): Float32Array | null {
    return this.#values;
  }

  /** Whether training begins with weights that are a trained network's, and quantizes. */
  get knowsAtStart(): boolean {
    const { model, config, networkFile } = this.#prepared;
    return model.quantizers.size > 0 && (networkFile !== null || config.training.from !== undefined);
  }

  /** @param evaluate Runs the test images through the network in float32. */
  async take(evaluate: (observe?: (batch: EvaluatedBatch) => void) => Promise<Evaluation>): Promise<Evaluation> {
    const answers = this.#prepared.task.answers();
    const evaluation = await evaluate((batch) => answers?.add(batch));
    this.#values = answers?.values ?? null;
    return evaluation;
  }

  get tensors(): ReadonlyMap<string, StoredTensor> {
    const values = this.#values;
    return values === null ? new Map() : new Map([[tensor, { shape: [values.length], values }]]);
  }

  /** @throws UserError where they are no probabilities. */
  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    const stored = tensors.get(tensor);
    if (stored === undefined) return;
    if (stored.values.some((value) => value < 0 || value > 1))
      throw new UserError(`the checkpoint is damaged: ${tensor} are not all within 0 and 1`);
    this.#values = Float32Array.from(stored.values);
  }
}
