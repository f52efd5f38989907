import { deliveredExport } from "../../runs/exports.ts";
import type { RunRecord } from "../../runs/record.ts";
import { threadCount, times } from "../page/format.ts";
import type { Column } from "../page/table.ts";
import { type Speed, slowdown, speedOf } from "../run/recommended-export.ts";

function latencyOf(record: RunRecord): Speed | null {
  const delivered = deliveredExport(record);
  return delivered && speedOf(delivered);
}

/** How long a file takes beside the float32 file that was measured with it: machines and moments differ, less so ratios. */
function ratioOf(record: RunRecord): number | null {
  const latency = latencyOf(record);
  return latency === null || latency.fp32MedianMs === 0 ? null : slowdown(latency);
}

/** Latencies, and the threads that they were measured with where those differ; nothing where no run has one. */
export function latencyColumns(records: readonly RunRecord[]): readonly Column<RunRecord>[] {
  const threadCounts = threadCountsOf(records);
  if (threadCounts.length === 0) return [];
  const latency: Column<RunRecord> = {
    title: "Latency, of float32",
    kind: "number",
    value: ratioOf,
    show: (record) => {
      const ratio = ratioOf(record);
      return ratio === null ? "–" : times(ratio);
    },
  };
  const threads: Column<RunRecord> = {
    title: "Latency’s threads",
    kind: "number",
    value: (record) => latencyOf(record)?.threads ?? null,
    show: (record) => String(latencyOf(record)?.threads ?? "–"),
  };
  return threadCounts.length > 1 ? [latency, threads] : [latency];
}

/** What latencies are of; nothing where no run has one. */
export function latencyNote(records: readonly RunRecord[]): string {
  const counts = threadCountsOf(records);
  if (counts.length === 0) return "";
  const [count, ...others] = counts;
  const threads = count === undefined || others.length > 0 ? "the run’s threads" : threadCount(count);
  return `Latencies are of the smallest batch measured, in the runtime, with ${threads} and on the machine that verified each file, over that of the same network’s float32 file there: 2× takes twice as long. Bit operations are not latency.`;
}

/** Threads of the runtime, each number once; undefined where a record does not know them. */
const threadCountsOf = (records: readonly RunRecord[]): readonly (number | undefined)[] => [
  ...new Set(records.flatMap((record) => latencyOf(record) ?? []).map(({ threads }) => threads)),
];
