import { first } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import type { Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { BackwardPass, Pass } from "../graph/node-kind.ts";
import type { Node } from "../kinds/index.ts";
import { backward, forward } from "../network/passes.ts";
import type { BackwardSums, LearnedNumbers } from "../quantizers/learned-numbers.ts";
import type { Sums, Task, Uploaded } from "../tasks/task.ts";
import type { Model } from "./model.ts";
import { type GateSamples, passOf, soleInput } from "./pass.ts";

export interface Batch {
  /** Normalised images, [batch, height, width, channels], or tokens, [batch, tokens]; consumed by the pass. */
  readonly images: Tensor;
  /** What the task compares the outputs with, as it has uploaded it. */
  readonly targets: Uploaded;
}

export interface StepResult {
  /** The task's loss, what nodes add to it, and prior strength times complexity. */
  readonly loss: number;
  readonly taskLoss: number;
  readonly complexity: number;
  /** The batch's share in the epoch's figures. */
  readonly sums: Sums;
}

/** What a step lowers: the task's loss, and the prior's complexity times its strength. */
export interface Objective {
  readonly task: Task;
  readonly priorStrength: number;
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
interface QuantizerSums extends BackwardSums {
  range: ArrayLike<number>;
  readonly levels: Map<number, ArrayLike<number>>;
  channels: ArrayLike<number> | null;
  decoded?: ArrayLike<number>;
}

/**
 * Loss and gradients of one batch for the gates of `samples` (docs/method.md, "Objective"). Call it inside a scope:
 * the parameters' gradients live until that scope's end.
 */
export function computeGradients(
  model: Model,
  batch: Batch,
  samples: GateSamples,
  { task, priorStrength }: Objective,
): Gradients {
  const { ops, network, quantizers, learning } = model;
  const sums = new Map<NodeId, QuantizerSums>();
  /** The quantizer whose pruning gates multiply the result of a node. */
  const owners = new Map<NodeId, NodeId>();
  for (const [id, { multiplies }] of quantizers) for (const node of multiplies) owners.set(node, id);
  for (const id of quantizers.keys()) sums.set(id, { range: [0], levels: new Map(), channels: null });
  let penalties = 0;
  const pass: Pass = passOf(model, samples, soleInput(network, batch.images), {
    training: true,
    momentum: STATISTICS_MOMENTUM,
  });
  const backwardPass: BackwardPass = {
    ...pass,
    range: (id, inner) => {
      lookup(sums, id).range = inner;
    },
    penalty: (_, value) => {
      penalties += value;
    },
    decoded: (id, gradient) => {
      lookup(sums, id).decoded = gradient;
    },
    level: (id, bits, inner) => lookup(sums, id).levels.set(bits, inner),
    wantsFactor: (id) => {
      const quantizer = owners.get(id);
      return quantizer !== undefined && lookup(samples, quantizer).wantsFactor;
    },
    factorGradient: (id, inner) => {
      const known = lookup(sums, lookup(owners, id));
      known.channels =
        known.channels === null ? inner : Float32Array.from(inner, (value, i) => value + known.channels![i]!);
    },
  };

  const trace = forward(network, pass, { keep: true });
  const outputs = first(trace.outputs);
  const taskSums = task.sums(ops, outputs, batch.targets);
  const { loss, gradient } = task.loss(ops, outputs, batch.targets);
  const taskLoss = ops.scalar(loss);
  const learns = ({ kind, id }: Node) =>
    kind === "parameter" ? (learning?.has(id) ?? true) : (quantizers.get(id)?.learned.length ?? 0) > 0;
  const parameters = backward(network, trace, [gradient], backwardPass, learns);

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
    loss: taskLoss + penalties + priorStrength * complexity,
    taskLoss,
    complexity,
    sums: taskSums,
    parameters,
    quantizers: learned,
  };
}
