import { availableMemory } from "../base/available-memory.ts";
import { UsageError } from "../base/errors.ts";
import type { Reporter } from "../base/progress.ts";
import type { RunConfig } from "../config/schema.ts";
import type { Network } from "../network/graph.ts";
import { type BatchSizes, estimateMemory } from "../training/memory-estimate.ts";

/**
 * Refuses a configuration that cannot fit into memory, before its first step; warns of one that may not.
 *
 * @throws UsageError with the estimate and the batch sizes that would fit.
 */
export function requireMemory(
  { data }: Pick<RunConfig, "data">,
  network: Network,
  { available = availableMemory(), warn }: { readonly available?: number } & Pick<Reporter, "warn">,
): void {
  const { batchSize, evaluationBatchSize } = data;
  const { training, trainingAtMost, evaluation, saving } = estimateMemory(network, { batchSize, evaluationBatchSize });
  if (Math.max(trainingAtMost, evaluation, saving) <= available) return;
  const needs = [
    `training at data.batchSize ${batchSize} needs about ${inGib(training)}, up to ${inGib(trainingAtMost)} while gates are undecided`,
    `evaluation at data.evaluationBatchSize ${evaluationBatchSize} ${inGib(evaluation)}`,
    `saving ${inGib(saving)}`,
  ];
  const what = `${needs.join(", ")}; ${inGib(available)} of memory are available`;
  const remedy = remedyFor(network, { batchSize, evaluationBatchSize }, available);
  if (Math.max(training, evaluation, saving) > available)
    throw new UsageError(`this configuration does not fit into memory: ${what}: ${remedy}`);
  warn(`this configuration may not fit into memory: ${what}: if it does not, ${remedy}`);
}

/** The largest batch sizes that surely fit; memory is what is missing where not even 1 does. */
function remedyFor(network: Network, sizes: BatchSizes, available: number): string {
  const fits = (need: "trainingAtMost" | "evaluation", changed: Partial<BatchSizes>) =>
    estimateMemory(network, { ...sizes, ...changed })[need] <= available;
  const batchSize = largest(sizes.batchSize, (batchSize) => fits("trainingAtMost", { batchSize }));
  const evaluationBatchSize = largest(sizes.evaluationBatchSize, (evaluationBatchSize) =>
    fits("evaluation", { evaluationBatchSize }),
  );
  if (batchSize === 0 || evaluationBatchSize === 0) return "free memory, raise the limit, or take a smaller network";
  const lower = [
    ...(batchSize < sizes.batchSize ? [`data.batchSize to ${batchSize}`] : []),
    ...(evaluationBatchSize < sizes.evaluationBatchSize ? [`data.evaluationBatchSize to ${evaluationBatchSize}`] : []),
  ];
  return lower.length === 0 ? "free memory, or raise the limit" : `lower ${lower.join(" and ")}, or free memory`;
}

/** The largest of 1 … `from` that fits, for a test that is monotonous; 0 where none does. */
function largest(from: number, fits: (size: number) => boolean): number {
  if (fits(from)) return from;
  let [low, high] = [0, from];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

const inGib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;
