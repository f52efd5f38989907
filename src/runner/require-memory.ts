import type { RunConfig } from "../config/schema.ts";
import { availableMemory } from "../core/available-memory.ts";
import { UsageError } from "../core/errors.ts";
import type { Reporter } from "../core/progress.ts";
import { type MemoryStage, memoryStages, type RunNetwork } from "../training/memory-stages.ts";
import { inGib, loweredSettings } from "./memory-text.ts";

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
