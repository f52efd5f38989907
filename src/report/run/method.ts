import type { RunRecord } from "../../runs/record.ts";

/** How a run's bit-widths were chosen, as its configuration names it. */
export function methodOf({ config }: Pick<RunRecord, "config">): string {
  const { method } = config;
  if (typeof method !== "object" || method === null || !("name" in method)) return "not known";
  return typeof method.name === "string" ? method.name : "not known";
}
