import { availableMemory } from "../base/available-memory.ts";
import { UsageError } from "../base/errors.ts";
import type { Reporter } from "../base/progress.ts";
import type { RunConfig } from "../config/schema.ts";
import type { Network } from "../network/graph.ts";
import { estimateMemory } from "../training/memory-estimate.ts";

/** The estimate may be off by this share: from there on a run is warned of, and not refused. */
const MARGIN = 0.8;

/**
 * Refuses a configuration that cannot fit into memory, before its first step.
 *
 * @throws UsageError with the estimate and the batch sizes that would fit.
 */
export function requireMemory(
  { data: { batchSize, evaluationBatchSize } }: Pick<RunConfig, "data">,
  network: Network,
  { available = availableMemory(), warn }: { readonly available?: number } & Pick<Reporter, "warn">,
): void {
  const sizes = { batchSize, evaluationBatchSize };
  const { training, evaluation, saving } = estimateMemory(network, sizes);
  const needed = Math.max(training, evaluation, saving);
  if (needed <= MARGIN * available) return;
  const parts = [
    `training at data.batchSize ${batchSize} ${inGib(training)}`,
    `evaluation at data.evaluationBatchSize ${evaluationBatchSize} ${inGib(evaluation)}`,
    `saving ${inGib(saving)}`,
  ];
  const what = `this configuration needs about ${inGib(needed)} of memory (${parts.join(", ")}), ${inGib(available)} are available`;
  const remedy = remedyFor(network, sizes, available);
  if (needed > available) throw new UsageError(`${what}: ${remedy}`);
  warn(`${what}: if it ends for lack of memory, ${remedy}`);
}

/** The largest batch sizes that leave the margin; memory is what is missing where not even 1 does. */
function remedyFor(network: Network, sizes: Parameters<typeof estimateMemory>[1], available: number): string {
  const fits = (name: "training" | "evaluation", one: Partial<typeof sizes>) =>
    estimateMemory(network, { ...sizes, ...one })[name] <= MARGIN * available;
  const batchSize = largest(sizes.batchSize, (batchSize) => fits("training", { batchSize }));
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
