import type { RunRecord } from "./record.ts";

/** What a run was to come to, and what it came to. */
export interface BudgetMet {
  /** Percent of the 32-bit network's bit operations, or bytes of the packed weights and biases. */
  readonly kind: "relativeBops" | "sizeBytes";
  readonly limit: number;
  readonly value: number;
  readonly met: boolean;
}

/** Whether a run is within its budget; null where it has no budget, or no result yet. */
export function budgetMet({ config, result }: Pick<RunRecord, "config" | "result">): BudgetMet | null {
  const { method } = config;
  const target = method.name === "bayesian-bits" ? method.prior.target : "target" in method ? method.target : undefined;
  if (result === null || target === undefined) return null;
  if ("relativeBops" in target) return judged("relativeBops", target.relativeBops, result.relativeBops);
  return judged("sizeBytes", target.sizeBytes, result.bytes.packed);
}

const judged = (kind: BudgetMet["kind"], limit: number, value: number): BudgetMet => ({
  kind,
  limit,
  value,
  met: value <= limit,
});
