import type { RunRecord } from "../../runs/record.ts";

/** How a run's bit-widths were chosen, as its configuration names it. */
export const methodOf = ({ config }: Pick<RunRecord, "config">): RunRecord["config"]["method"]["name"] =>
  config.method.name;
