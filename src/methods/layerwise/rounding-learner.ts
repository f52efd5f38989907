import type { RoundingKernels } from "../../engine/extensions.ts";
import type { Ops, Tensor, Variable } from "../../engine/ops.ts";
import { readFloats } from "../../engine/read-floats.ts";
import { type RoundingChoice, softWeight } from "../../quantization/soft-rounding.ts";
import type { WeightGrid } from "../../quantization/weight-grid.ts";
import { layerResidual, type UploadedRows } from "./layer-error.ts";
import type { LayerProblem } from "./layer-problem.ts";

export interface LearnerOptions {
  readonly learningRate: number;
  /** Weight of the regularizer: it sums over weights, the reconstruction averages over rows. */
  readonly regularization: number;
  /** Images of each batch. */
  readonly batchSize: number;
}

/**
 * Learns V of one layer by Adam (Nagel et al. 2020, equations 21 to 25). The loss of a batch is the mean over its rows
 * of Σ over output channels of (y_soft - y)², after the activation, plus the weighted regularizer. Everything but the
 * batch's indices stays on the engine, until `dispose`.
 */
export class RoundingLearner {
  readonly #ops: Ops;
  readonly #kernels: RoundingKernels;
  readonly #problem: LayerProblem;
  readonly #rows: UploadedRows;
  readonly #options: LearnerOptions;
  readonly #v: Variable;
  readonly #moments: readonly [Variable, Variable];
  /** soft weight = offset + range·h, [groups, outputs of a group, inputs]. */
  readonly #offset: Tensor;
  readonly #range: Tensor;
  /** range·2/rows of a batch: from Σ (y_soft - y)·x to the gradient by h. */
  readonly #slope: Tensor;
  #steps = 0;

  constructor(
    ops: Ops,
    problem: LayerProblem,
    rows: UploadedRows,
    { choice, grids }: { choice: RoundingChoice; grids: readonly WeightGrid[] },
    options: LearnerOptions,
  ) {
    const { outputs, inputs } = problem.weight;
    const { groups, positions } = problem.rows;
    const shape = [groups, outputs / groups, inputs];
    const { offset, range } = softWeight(choice, grids, inputs);
    const factor = 2 / (options.batchSize * positions);
    this.#ops = ops;
    this.#kernels = ops.extension("rounding");
    this.#problem = problem;
    this.#rows = rows;
    this.#options = options;
    this.#offset = ops.tensor(offset, shape);
    this.#range = ops.tensor(range, shape);
    this.#slope = ops.tensor(
      range.map((value) => value * factor),
      shape,
    );
    const zeros = () => new Float32Array(outputs * inputs);
    this.#v = ops.variable(`${problem.name}.rounding`, choice.initial, shape);
    this.#moments = [
      ops.variable(`${problem.name}.rounding.first`, zeros(), shape),
      ops.variable(`${problem.name}.rounding.second`, zeros(), shape),
    ];
  }

  /**
   * One Adam step on the images that `batch` names; `beta` null leaves the regularizer out.
   *
   * @returns the reconstruction's part of the loss before the step, if `measure` asks for it: reading it costs time.
   */
  step(batch: Int32Array, beta: number | null, { measure = false } = {}): number | null {
    const ops = this.#ops;
    return ops.scope(
      () => {
        const { x, negatedTargets } = this.#gather(batch);
        const h = this.#h();
        const soft = ops.add(this.#offset, ops.multiply(this.#range, h));
        const { bias } = this.#rows;
        const { rectified, limit } = this.#problem;
        const { residual, masked } = layerResidual(ops, { x, negatedTargets, bias, rectified, limit }, soft);
        const reconstruction = ops.multiply(ops.batchMatmul(masked(), x, { transposeA: true }), this.#slope);
        const gradient = beta === null ? reconstruction : ops.add(reconstruction, this.#pull(h, beta));
        ops.adam(this.#v, this.#moments, this.#kernels.rectifiedSigmoidGradient(h, gradient), {
          learningRate: this.#options.learningRate,
          beta1: 0.9,
          beta2: 0.999,
          epsilon: 1e-8,
          step: ++this.#steps,
        });
        return measure ? ops.scalar(ops.dot(residual, residual)) / (batch.length * this.#problem.rows.positions) : null;
      },
      () => [],
    );
  }

  /** The current V, [outputs, inputs]. */
  values(): Float32Array {
    return this.#ops.scope(
      () => readFloats(this.#ops, this.#ops.value(this.#v)),
      () => [],
    );
  }

  dispose(): void {
    for (const variable of [this.#v, ...this.#moments]) this.#ops.dispose(variable);
    for (const tensor of [this.#offset, this.#range, this.#slope]) this.#ops.release(tensor);
  }

  /** h(V); the read of the variable is released before its update. */
  #h(): Tensor {
    return this.#ops.scope(
      () => this.#kernels.rectifiedSigmoid(this.#ops.value(this.#v)),
      (h) => [h],
    );
  }

  #pull(h: Tensor, beta: number): Tensor {
    const weight = this.#ops.tensor(Float32Array.of(this.#options.regularization), []);
    return this.#ops.multiply(this.#kernels.roundingSlope(h, beta), weight);
  }

  /** The rows of the batch's images: [groups, images·positions, …]. */
  #gather(batch: Int32Array): { x: Tensor; negatedTargets: Tensor } {
    const ops = this.#ops;
    const { weight, rows } = this.#problem;
    const indices = ops.tensor(batch, [batch.length]);
    const count = batch.length * rows.positions;
    return {
      x: ops.reshape(ops.gather(this.#rows.inputs, indices, 1), [rows.groups, count, weight.inputs]),
      negatedTargets: ops.reshape(ops.gather(this.#rows.negatedTargets, indices, 1), [
        rows.groups,
        count,
        weight.outputs / rows.groups,
      ]),
    };
  }
}
