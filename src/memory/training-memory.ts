import { statSync } from "node:fs";
import type { Distillation } from "../config/sections/loss-settings.ts";
import { lookup } from "../core/lookup.ts";
import { elementsOf } from "../graph/shape.ts";
import { kindOf, type Network } from "../kinds/index.ts";
import { outputShapes } from "../network/output-shapes.ts";
import { reachedByInputs } from "../network/passes.ts";

const FLOAT = 4;

/**
 * Copies of the widest output that are there at once, beyond the one that is kept: gradients and terms. Fitted to
 * measured peaks of LeNet-5 on the native engine, in MiB: training 1010 at batch 2048 (the estimate says 1039) and 259
 * at 512 (266); with all gates undecided 2492 (2515) and 647 (635); evaluation 969 at 5000 (1057).
 */
const copies = { training: 3, trainingAtMost: 7, evaluation: 3 } as const;
/** Quantized weights, their gradients and what turns one into the other. */
const PARAMETER_COPIES = 4;

/**
 * Estimates what training needs beyond what a run has before its first step, from the shapes of the network's nodes:
 * every node's output is kept for the way back.
 */
export function trainingMemory(network: Network, batchSize: number): { likely: number; atMost: number } {
  const { kept, copied, widest, parameters } = elementCounts(network);
  const bytes = (perSample: number) => FLOAT * (batchSize * perSample + PARAMETER_COPIES * parameters);
  return {
    likely: bytes(kept + copies.training * widest),
    atMost: bytes(kept + copied + copies.trainingAtMost * widest),
  };
}

/** The same of evaluation, which keeps only what is still to be read. */
export function evaluationMemory(network: Network, batchSize: number): number {
  const { widest, parameters } = elementCounts(network);
  return FLOAT * (batchSize * copies.evaluation * widest + parameters);
}

/** The same of saving: parameters and their moments, as arrays and as the file. */
export const savingMemory = (network: Network): number => FLOAT * 2 * 3 * elementCounts(network).parameters;

/** Of outputs of a teacher that are kept for so many samples. */
export function keptOutputsMemory({ cache }: Pick<Distillation, "cache">, network: Network, samples: number): number {
  const shapes = outputShapes(network);
  const outputs = network.outputs.reduce((sum, id) => sum + elementsOf(lookup(shapes, id)), 0);
  return cache ? FLOAT * samples * outputs : 0;
}

/** The same of what the network learns from: a copy of its parameters, or what a file holds. */
export function teacherMemory(distillation: Pick<Distillation, "teacher"> | null, network: Network): number {
  if (distillation === null) return 0;
  const { teacher } = distillation;
  if (teacher === undefined) return FLOAT * elementCounts(network).parameters;
  return statSync(teacher, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Elements of parameters, and of what is computed for one sample: all outputs, the copies of them that may be kept as
 * well, the widest.
 */
function elementCounts(network: Network) {
  const shapes = outputShapes(network);
  const perSample = reachedByInputs(network);
  let [kept, copied, widest, parameters] = [0, 0, 0, 0];
  for (const node of network.nodes) {
    const elements = elementsOf(lookup(shapes, node.id));
    if (node.kind === "parameter") parameters += elements;
    if (!perSample.has(node.id)) continue;
    kept += elements;
    copied += kindOf(node).copies * elements;
    widest = Math.max(widest, elements);
  }
  return { kept, copied, widest, parameters };
}
