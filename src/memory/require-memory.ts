import type { RunConfig } from "../config/schema.ts";
import { availableMemory } from "../core/available-memory.ts";
import { UsageError } from "../core/errors.ts";
import type { Reporter } from "../core/progress.ts";
import { type MemoryStage, memoryStages, type RunShape } from "./memory-stages.ts";

/**
 * Refuses a configuration that cannot fit into memory, before its first step; warns of one that may not.
 *
 * @throws UsageError with the estimate and the settings that would fit.
 */
export function requireMemory(
  config: Pick<RunConfig, "data">,
  run: RunShape,
  { available = availableMemory(), warn }: { readonly available?: number } & Pick<Reporter, "warn">,
): void {
  const stages = memoryStages(config, run);
  if (stages.every(({ atMost }) => atMost <= available)) return;
  const needs = `it needs about ${stages.map(needOf).join(", ")}; ${inGib(available)} of memory are available`;
  const lowered = loweredSettings(stages, available);
  const remedy =
    lowered === null ? "free memory, raise the limit, or take a smaller network" : `${lowered}, or free memory`;
  if (stages.some(({ likely }) => likely > available))
    throw new UsageError(`this configuration does not fit into memory: ${needs}: ${remedy}`);
  warn(`this configuration may not fit into memory: ${needs}: if it does not, ${remedy}`);
}

function needOf({ what, likely, atMost, setting }: MemoryStage): string {
  const at = setting === null ? "" : ` at ${setting.path} ${setting.value}`;
  const most = atMost > likely ? ` (up to ${inGib(atMost)} while gates are undecided)` : "";
  return `${inGib(likely)} for ${what}${at}${most}`;
}

export const inGib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

/**
 * What to do so that stages fit that do not: `lower data.batchSize to 512`, with the largest settings that surely fit.
 * Null where a stage has no setting, or does not fit even at 1.
 */
export function loweredSettings(stages: readonly MemoryStage[], available: number): string | null {
  const lowered = stages
    .filter(({ atMost }) => atMost > available)
    .map(({ setting }) => {
      const value = setting === null ? 0 : largest(setting.value, (at) => setting.atMostAt(at) <= available);
      return value === 0 ? null : `${setting!.path} to ${value}`;
    });
  return lowered.includes(null) ? null : `lower ${lowered.join(" and ")}`;
}

/** The largest of 1 … `from` that fits, for a test that is monotonous and that `from` fails; 0 where none does. */
function largest(from: number, fits: (value: number) => boolean): number {
  let [low, high] = [0, from];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}
