import { inputsOf, type Network } from "../network/graph.ts";
import { elementsOf } from "../network/shape.ts";
import { outputShapes } from "../network/shapes.ts";

/** Bytes that a run will use beyond what it has before its first step. */
export interface MemoryEstimate {
  /** While most gates are decided: one or two levels of each quantizer are computed. */
  readonly training: number;
  /** While all levels of all quantizers are. */
  readonly trainingAtMost: number;
  readonly evaluation: number;
  readonly saving: number;
}

export interface BatchSizes {
  readonly batchSize: number;
  readonly evaluationBatchSize: number;
}

const FLOAT = 4;

/**
 * Copies of the widest output that are there at once, beyond the one that is kept: gradients and terms. Fitted to
 * measured peaks of LeNet-5 on the native engine, in MiB: training 1010 at batch 2048 (the estimate says 1039) and 259
 * at 512 (266); with all gates undecided 2492 (2515) and 647 (635); evaluation 969 at 5000 (1057).
 */
const copies = { training: 3, trainingAtMost: 7, evaluation: 3 } as const;
/** Levels of a quantizer, each of which is kept for the way back where all are computed. */
const LEVELS = 5;
/** Quantized weights, their gradients and what turns one into the other. */
const PARAMETER_COPIES = 4;

/**
 * Estimates what a network needs, from the shapes of its nodes. Training keeps every node's output for the way back,
 * evaluation only what is still to be read; saving holds parameters and moments twice, as arrays and as the file.
 */
export function estimateMemory(network: Network, { batchSize, evaluationBatchSize }: BatchSizes): MemoryEstimate {
  const shapes = outputShapes(network);
  const perImage = new Set<string>();
  let [kept, quantized, widest, parameters] = [0, 0, 0, 0];
  for (const node of network.nodes) {
    const elements = elementsOf(shapes.get(node.id)!);
    if (node.kind === "parameter") parameters += elements;
    if (node.kind !== "input" && !inputsOf(node).some((id) => perImage.has(id))) continue;
    perImage.add(node.id);
    kept += elements;
    if (node.kind === "quantizer") quantized += elements;
    widest = Math.max(widest, elements);
  }
  const fixed = PARAMETER_COPIES * parameters;
  return {
    training: FLOAT * (batchSize * (kept + copies.training * widest) + fixed),
    trainingAtMost: FLOAT * (batchSize * (kept + LEVELS * quantized + copies.trainingAtMost * widest) + fixed),
    evaluation: FLOAT * (evaluationBatchSize * copies.evaluation * widest + parameters),
    saving: FLOAT * 2 * 3 * parameters,
  };
}
