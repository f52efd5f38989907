import { lookup } from "../core/lookup.ts";
import type { Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { BackwardPass, Pass } from "../graph/node-kind.ts";
import { backward, forward } from "../network/passes.ts";
import type { BackwardSums, LearnedNumbers } from "../quantizers/learned-numbers.ts";
import type { Model } from "./model.ts";
import { type GateSamples, passOf, soleInput } from "./pass.ts";

export interface Batch {
  /** Normalised images, [batch, height, width, channels]; consumed by the pass. */
  readonly images: Tensor;
  /** int32 [batch]. */
  readonly labels: Tensor;
}

export interface StepResult {
  /** Cross-entropy plus prior strength times complexity. */
  readonly loss: number;
  readonly crossEntropy: number;
  readonly complexity: number;
  /** Images of the batch classified correctly. */
  readonly correct: number;
}

/** Numbers of a quantizer, and the gradient of the loss by them. */
export interface LearnedGradient {
  readonly numbers: LearnedNumbers;
  readonly gradient: Float64Array;
}

/** The gradients of a step: those of the trained tensors on the engine, those of the quantizers on the host. */
export interface Gradients extends StepResult {
  readonly parameters: ReadonlyMap<NodeId, Tensor>;
  /** Of all that a quantizer learns. */
  readonly quantizers: ReadonlyMap<NodeId, readonly LearnedGradient[]>;
}

/** PyTorch's default. */
const STATISTICS_MOMENTUM = 0.1;

/** Collects what quantizers learn from a backward pass. */
interface Sums extends BackwardSums {
  range: ArrayLike<number>;
  readonly levels: Map<number, number>;
  channels: ArrayLike<number> | null;
}

/**
 * Loss and gradients of one batch for the gates of `samples` (ARCHITECTURE.md, "The method" 3). Call it inside a scope:
 * the parameters' gradients live until that scope's end.
 */
export function computeGradients(model: Model, batch: Batch, samples: GateSamples, priorStrength: number): Gradients {
  const { ops, network, quantizers } = model;
  const sums = new Map<NodeId, Sums>();
  /** The quantizer whose pruning gates multiply the result of a node. */
  const owners = new Map<NodeId, NodeId>();
  for (const [id, { multiplies }] of quantizers) for (const node of multiplies) owners.set(node, id);
  for (const id of quantizers.keys()) sums.set(id, { range: [0], levels: new Map(), channels: null });
  const pass: Pass = passOf(model, samples, soleInput(network, batch.images), {
    training: true,
    momentum: STATISTICS_MOMENTUM,
  });
  const backwardPass: BackwardPass = {
    ...pass,
    range: (id, inner) => {
      lookup(sums, id).range = inner;
    },
    level: (id, bits, inner) => lookup(sums, id).levels.set(bits, inner),
    wantsFactor: (id) => {
      const quantizer = owners.get(id);
      return quantizer !== undefined && lookup(samples, quantizer).wantsFactor;
    },
    factorGradient: (id, inner) => {
      const known = lookup(sums, owners.get(id)!);
      known.channels =
        known.channels === null ? inner : Float32Array.from(inner, (value, i) => value + known.channels![i]!);
    },
  };

  const trace = forward(network, pass, { keep: true });
  const [logits] = trace.outputs as [Tensor];
  const correct = countCorrect(model, logits, batch.labels);
  const { loss, gradient } = ops.crossEntropy(logits, batch.labels);
  const crossEntropy = ops.scalar(loss);
  const parameters = backward(network, trace, [gradient], backwardPass);

  let complexity = 0;
  const learned = new Map<NodeId, readonly LearnedGradient[]>();
  for (const [id, quantizer] of quantizers) {
    const prior = quantizer.complexity();
    complexity += prior.value;
    const findings = { sample: lookup(samples, id), sums: lookup(sums, id), prior, priorStrength };
    learned.set(
      id,
      quantizer.learned.map((numbers) => ({ numbers, gradient: numbers.gradient(findings) })),
    );
  }
  return {
    loss: crossEntropy + priorStrength * complexity,
    crossEntropy,
    complexity,
    correct,
    parameters,
    quantizers: learned,
  };
}

function countCorrect({ ops }: Model, logits: Tensor, labels: Tensor): number {
  const predicted = ops.read(ops.argMax(logits));
  const truth = ops.read(labels);
  let correct = 0;
  for (let index = 0; index < truth.length; index++) if (predicted[index] === truth[index]) correct++;
  return correct;
}
