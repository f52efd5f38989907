import type { RunRecord } from "../../runs/record.ts";

/** A run's number on the page: by it filters know what belongs to which run. */
export type NumberOf = (record: RunRecord) => number;
