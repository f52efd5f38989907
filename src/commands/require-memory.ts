import { availableMemory } from "../base/available-memory.ts";
import { UsageError } from "../base/errors.ts";
import type { Reporter } from "../base/progress.ts";
import type { RunConfig } from "../config/schema.ts";
import { type MemoryStage, memoryStages, type RunNetwork } from "../training/memory-stages.ts";

/**
 * Refuses a configuration that cannot fit into memory, before its first step; warns of one that may not.
 *
 * @throws UsageError with the estimate and the settings that would fit.
 */
export function requireMemory(
  config: Pick<RunConfig, "data">,
  run: RunNetwork,
  { available = availableMemory(), warn }: { readonly available?: number } & Pick<Reporter, "warn">,
): void {
  const stages = memoryStages(config, run);
  if (stages.every(({ atMost }) => atMost <= available)) return;
  const needs = stages.map(({ says }) => says(inGib)).join(", ");
  const what = `${needs}; ${inGib(available)} of memory are available`;
  const remedy = remedyFor(stages, available);
  if (stages.some(({ likely }) => likely > available))
    throw new UsageError(`this configuration does not fit into memory: ${what}: ${remedy}`);
  warn(`this configuration may not fit into memory: ${what}: if it does not, ${remedy}`);
}

/** The largest settings that surely fit; memory is what is missing where not even 1 does. */
function remedyFor(stages: readonly MemoryStage[], available: number): string {
  const settings = stages.flatMap(({ setting }) => setting ?? []);
  const fitting = settings.map(({ path, value, atMost }) => ({
    path,
    value,
    fits: largest(value, (changed) => atMost(changed) <= available),
  }));
  if (fitting.some(({ fits }) => fits === 0)) return "free memory, raise the limit, or take a smaller network";
  const lower = fitting.filter(({ fits, value }) => fits < value).map(({ path, fits }) => `${path} to ${fits}`);
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
