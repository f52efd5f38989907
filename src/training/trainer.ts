import type { NodeId } from "../network/graph.ts";
import { type Batch, computeGradients, type Gradients, type StepResult } from "./gradients.ts";
import { holdLastChannel } from "./last-channel.ts";
import type { Model } from "./model.ts";
import { EngineOptimizer, HostOptimizer, type OptimizerOptions } from "./optimizer.ts";
import type { Samples } from "./settings.ts";

/** Ranges are kept above this: a range of zero has no grid. */
export const rangeFloor = 1e-5;

/** The paper's three groups: weights and biases, gates, ranges. */
export const groups = ["weights", "gates", "ranges"] as const;
export type Group = (typeof groups)[number];
export type PerGroup<T> = Readonly<Record<Group, T>>;

/** What an update would have taken too far, and was held at its limit. */
export interface Held {
  /** Quantizers whose range reached its floor. */
  readonly ranges: readonly NodeId[];
  /** Quantizers whose layer would have lost its last channel. */
  readonly channels: readonly NodeId[];
}

/** A model with its optimizers: what one training step changes. */
export class Trainer {
  readonly model: Model;
  readonly weights: EngineOptimizer;
  readonly gates: HostOptimizer;
  readonly ranges: HostOptimizer;
  /** Steps done so far. */
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
   * @param inspect Sees the gradients before the update; gives false to leave it out, throws to end here.
   * @returns The losses and what was held; null where the update was left out.
   */
  train(
    makeBatch: () => Batch,
    samples: Samples,
    { priorStrength, learningRates }: { priorStrength: number; learningRates: PerGroup<number> },
    inspect?: (gradients: Gradients) => boolean,
  ): (StepResult & { readonly held: Held }) | null {
    return this.model.ops.scope(
      () => {
        const gradients = computeGradients(this.model, makeBatch(), samples, priorStrength);
        this.step++;
        if (inspect?.(gradients) === false) return null;
        const held = this.#apply(gradients, learningRates);
        const { loss, crossEntropy, complexity, correct } = gradients;
        return { loss, crossEntropy, complexity, correct, held };
      },
      () => [],
    );
  }

  #apply({ parameters, quantizers }: Gradients, learningRates: PerGroup<number>): Held {
    const { step } = this;
    this.weights.update(parameters, { learningRate: learningRates.weights, step });
    const held = { ranges: [] as NodeId[], channels: [] as NodeId[] };
    for (const [id, quantizer] of this.model.quantizers) {
      const { phi, prune, xMax } = quantizers.get(id)!;
      this.gates.update(`${id}.phi`, quantizer.phi, phi, { learningRate: learningRates.gates, step });
      if (prune) {
        this.gates.update(`${id}.prune`, quantizer.prune!, prune, { learningRate: learningRates.gates, step });
        if (holdLastChannel(quantizer.prune!)) held.channels.push(id);
      }
      this.ranges.update(`${id}.range`, quantizer.range, [xMax], { learningRate: learningRates.ranges, step });
      if (quantizer.range[0]! < rangeFloor) {
        quantizer.range[0] = rangeFloor;
        held.ranges.push(id);
      }
    }
    return held;
  }
}
