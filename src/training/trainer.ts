import type { NodeId } from "../network/graph.ts";
import { type Batch, computeGradients, type Gradients, type StepResult } from "./gradients.ts";
import type { Model } from "./model.ts";
import { EngineOptimizer, HostOptimizer, type OptimizerOptions } from "./optimizer.ts";
import type { Samples } from "./settings.ts";

/** Ranges are kept above this: a range of zero has no grid. */
export const rangeFloor = 1e-5;

/** The paper's three groups: weights and biases, gates, ranges. */
export const groups = ["weights", "gates", "ranges"] as const;
export type Group = (typeof groups)[number];
export type PerGroup<T> = Readonly<Record<Group, T>>;

/** A model with its optimizers: what one training step changes. */
export class Trainer {
  readonly model: Model;
  readonly weights: EngineOptimizer;
  readonly gates: HostOptimizer;
  readonly ranges: HostOptimizer;
  /** Updates done so far. */
  step = 0;

  constructor(model: Model, options: PerGroup<OptimizerOptions>) {
    this.model = model;
    this.weights = new EngineOptimizer(model.ops, options.weights, model.parameters);
    this.gates = new HostOptimizer(options.gates);
    this.ranges = new HostOptimizer(options.ranges);
  }

  /**
   * One training step: gradients for these gates, then an update of all three groups.
   *
   * @param inspect Sees the gradients before the update; throw to refuse it.
   * @returns The losses, and the quantizers whose range reached its floor.
   */
  train(
    makeBatch: () => Batch,
    samples: Samples,
    { priorStrength, learningRates }: { priorStrength: number; learningRates: PerGroup<number> },
    inspect?: (gradients: Gradients) => void,
  ): StepResult & { readonly atFloor: readonly NodeId[] } {
    return this.model.ops.scope(
      () => {
        const gradients = computeGradients(this.model, makeBatch(), samples, priorStrength);
        inspect?.(gradients);
        const atFloor = this.#apply(gradients, learningRates);
        const { loss, crossEntropy, complexity, correct } = gradients;
        return { loss, crossEntropy, complexity, correct, atFloor };
      },
      () => [],
    );
  }

  #apply({ parameters, quantizers }: Gradients, learningRates: PerGroup<number>): NodeId[] {
    this.step++;
    const { step } = this;
    this.weights.update(parameters, { learningRate: learningRates.weights, step });
    const atFloor: NodeId[] = [];
    for (const [id, quantizer] of this.model.quantizers) {
      const { phi, prune, xMax } = quantizers.get(id)!;
      this.gates.update(`${id}.phi`, quantizer.phi, phi, { learningRate: learningRates.gates, step });
      if (prune) this.gates.update(`${id}.prune`, quantizer.prune!, prune, { learningRate: learningRates.gates, step });
      this.ranges.update(`${id}.range`, quantizer.range, [xMax], { learningRate: learningRates.ranges, step });
      if (quantizer.node.limit !== null) quantizer.range[0] = Math.min(quantizer.node.limit, quantizer.range[0]!);
      if (quantizer.range[0]! < rangeFloor) {
        quantizer.range[0] = rangeFloor;
        atFloor.push(id);
      }
    }
    return atFloor;
  }
}
