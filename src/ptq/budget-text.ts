import type { WidthBudget } from "../config/sections/quantize-settings.ts";
import { UsageError } from "../core/errors.ts";

/** The largest first. */
const units = { GiB: 2 ** 30, GB: 1e9, MiB: 2 ** 20, MB: 1e6, KiB: 2 ** 10, kB: 1e3, B: 1 };

/** Reads `25%`, `300kB`, `avg:4`, `bops:3%`. @throws UsageError. */
export function parseBudget(text: string): WidthBudget {
  const [, of = "", number = "", unit = ""] = /^(avg:|bops:)?([0-9]+(?:\.[0-9]+)?)(%|[kKMG]?i?B)?$/.exec(text) ?? [];
  const value = Number(number);
  const factor = Object.entries(units).find(([name]) => name === unit)?.[1];
  if (value > 0) {
    if (of === "avg:" && unit === "") return { averageBits: value };
    if (of === "bops:" && unit === "%") return { relativeBops: value };
    if (of === "" && unit === "%") return { relativeBytes: value };
    if (of === "" && factor !== undefined) return { bytes: Math.floor(value * factor) };
  }
  throw new UsageError(
    `--budget ${text}: expected percent of the weights' bytes in float32, as 25%, bytes of the file, as 300kB, bits of a weight on average, as avg:4, or percent of the bit operations in float32, as bops:3%`,
  );
}

/** A budget as `parseBudget` reads it. */
export function budgetText(budget: WidthBudget): string {
  if ("averageBits" in budget) return `avg:${budget.averageBits}`;
  if ("relativeBops" in budget) return `bops:${budget.relativeBops}%`;
  if ("relativeBytes" in budget) return `${budget.relativeBytes}%`;
  const [unit, factor] = Object.entries(units).find(([, size]) => budget.bytes % size === 0) ?? ["B", 1];
  return `${budget.bytes / factor}${unit}`;
}
