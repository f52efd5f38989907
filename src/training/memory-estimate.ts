import { inputsOf, type Network } from "../network/graph.ts";
import { elementsOf, outputShapes } from "../network/shapes.ts";

/** Bytes that a run will use beyond what it has before its first step. */
export interface MemoryEstimate {
  readonly training: number;
  readonly evaluation: number;
  readonly saving: number;
}

const FLOAT = 4;

/**
 * Estimates what a network needs, from the shapes of its nodes.
 *
 * - Training keeps every node's output for the way back; the largest ones are there several times, as gradients and as
 *   terms of their quantizer. Every parameter has a gradient.
 * - Evaluation keeps only what is still to be read: the widest node's inputs, output and terms.
 * - Saving holds parameters and moments twice, as arrays and as the file.
 *
 * TRAINING_COPIES and EVALUATION_COPIES are fitted to measured peaks (`npm run memory`).
 */
export function estimateMemory(
  network: Network,
  { batchSize, evaluationBatchSize }: { readonly batchSize: number; readonly evaluationBatchSize: number },
): MemoryEstimate {
  const shapes = outputShapes(network);
  const perImage = new Set<string>([...network.nodes].filter(({ kind }) => kind === "input").map(({ id }) => id));
  let [kept, parameters] = [0, 0];
  let widest = 0;
  for (const node of network.nodes) {
    const elements = elementsOf(shapes.get(node.id)!);
    if (node.kind === "parameter") parameters += elements;
    if (inputsOf(node).some((id) => perImage.has(id))) perImage.add(node.id);
    if (!perImage.has(node.id)) continue;
    kept += elements;
    widest = Math.max(widest, elements);
  }
  return {
    training: FLOAT * (batchSize * (kept + TRAINING_COPIES * widest) + PARAMETER_COPIES * parameters),
    evaluation: FLOAT * (evaluationBatchSize * EVALUATION_COPIES * widest + parameters),
    saving: FLOAT * 2 * 3 * parameters,
  };
}

/** Copies of the widest output beyond the kept one. */
const TRAINING_COPIES = 4;
const EVALUATION_COPIES = 4;
/** Quantized weights, their gradients and what turns one into the other. */
const PARAMETER_COPIES = 4;
