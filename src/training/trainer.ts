import type { NodeId } from "../graph/graph.ts";
import type { Network } from "../kinds/index.ts";
import { freezeBatchNorm } from "../quantizers/fold-batch-norm.ts";
import { type Batch, computeGradients, type Gradients, type Objective, type StepResult } from "./gradients.ts";
import type { Group, PerGroup } from "./groups.ts";
import { learningShares } from "./learning-shares.ts";
import type { Model } from "./model.ts";
import { EngineOptimizer, HostOptimizer, type OptimizerOptions } from "./optimizer.ts";
import type { GateSamples } from "./pass.ts";
import type { Phase } from "./phases.ts";
import { constantStrength, type PriorStrength } from "./prior-strength.ts";

/** What an update would have taken too far, and was held at its limit. */
export interface Held {
  /** Quantizers whose range reached its floor. */
  readonly ranges: readonly NodeId[];
  /** Quantizers whose layer would have lost its last channel. */
  readonly channels: readonly NodeId[];
}

/** A model with its optimizers: what one training step changes. */
export class Trainer {
  readonly #model: Model;
  #inPhase: Model;
  readonly #plain: Network;
  readonly strength: PriorStrength;
  weights: EngineOptimizer;
  gates: HostOptimizer;
  ranges: HostOptimizer;
  /** Of the group of weights: those that stand in codebooks. */
  codebooks: HostOptimizer;
  /** Updates done so far. */
  step = 0;
  /** Those done with these optimizers, which is what their moments know. */
  updates = 0;
  /** Where the schedules of these optimizers begin, in epochs. */
  #scheduleStart = 0;

  /**
   * @param options null for a group that rests.
   * @param plain The network before the method, with the same parameters: what pretraining trains.
   */
  constructor(
    model: Model,
    options: PerGroup<OptimizerOptions | null>,
    {
      strength = constantStrength(0),
      plain = model.network,
    }: { readonly strength?: PriorStrength; readonly plain?: Network } = {},
  ) {
    this.#model = model;
    this.#inPhase = model;
    this.#plain = plain;
    this.strength = strength;
    ({
      weights: this.weights,
      codebooks: this.codebooks,
      gates: this.gates,
      ranges: this.ranges,
    } = optimizersOf(model, options));
  }

  /** The model as it computes in this phase: the network before the method, the method's, or that with frozen statistics. */
  get inPhase(): Model {
    return this.#inPhase;
  }

  /** Goes on with what learns in this phase, with new optimizers where new schedules begin; entering again changes nothing. */
  enter({ quantizes, gatesFixed, batchNormFrozen, schedule, groups }: Phase): void {
    const model = quantizes ? this.#model : { ...this.#model, network: this.#plain, quantizers: new Map() };
    if (gatesFixed) {
      for (const [id, quantizer] of model.quantizers) model.quantizers.set(id, quantizer.withFixedGates());
    }
    this.#inPhase = batchNormFrozen ? { ...model, network: freezeBatchNorm(model.network) } : model;
    if (schedule.from === this.#scheduleStart) return;
    this.weights.dispose();
    ({
      weights: this.weights,
      codebooks: this.codebooks,
      gates: this.gates,
      ranges: this.ranges,
    } = optimizersOf(model, groups));
    this.updates = 0;
    this.#scheduleStart = schedule.from;
  }

  /**
   * One training step: gradients for these gates, then an update of all three groups.
   *
   * @param inspect Sees the gradients before the update; gives false to leave it out, throws to end here.
   * @returns The losses and what was held; null where the update was left out.
   */
  train(
    makeBatch: () => Batch,
    samples: GateSamples,
    { learningRates, ...objective }: Objective & { readonly learningRates: PerGroup<number> },
    inspect?: (gradients: Gradients) => boolean,
  ): (StepResult & { readonly held: Held }) | null {
    return this.#inPhase.ops.scope(
      () => {
        // What learns on is frozen no more.
        this.#model.codes.clear();
        const gradients = computeGradients(this.#inPhase, makeBatch(), samples, objective);
        const permitted = inspect?.(gradients) !== false;
        this.step++;
        this.updates++;
        if (!permitted) return null;
        const held = this.#apply(gradients, learningRates);
        const { loss, taskLoss, complexity, sums } = gradients;
        return { loss, taskLoss, complexity, sums, held };
      },
      () => [],
    );
  }

  #apply({ parameters, quantizers }: Gradients, learningRates: PerGroup<number>): Held {
    const at = (group: Group, share = 1) => ({ learningRate: share * learningRates[group], step: this.updates });
    if (learningRates.weights > 0) this.weights.update(parameters, at("weights"), learningShares(this.#inPhase));
    const held: { readonly ranges: NodeId[]; readonly channels: NodeId[] } = { ranges: [], channels: [] };
    for (const [id, learned] of quantizers) {
      for (const { numbers, gradient } of learned) {
        const { name, group, values } = numbers;
        this[group === "weights" ? "codebooks" : group].update(
          `${id}.${name}`,
          values,
          gradient,
          at(group, numbers.rate?.()),
        );
        if (numbers.hold()) held[group === "ranges" ? "ranges" : "channels"].push(id);
      }
    }
    return held;
  }
}

/** What stands for a group that rests: it is never asked for an update. */
const resting: OptimizerOptions = { optimizer: "sgd", momentum: 0, weightDecay: 0 };

const optimizersOf = (model: Model, options: PerGroup<OptimizerOptions | null>) => ({
  weights: new EngineOptimizer(
    model.ops,
    options.weights ?? resting,
    new Map(
      options.weights === null ? [] : Array.from(model.parameters).filter(([id]) => model.learning?.has(id) ?? true),
    ),
  ),
  codebooks: new HostOptimizer(options.weights ?? resting),
  gates: new HostOptimizer(options.gates ?? resting),
  ranges: new HostOptimizer(options.ranges ?? resting),
});
