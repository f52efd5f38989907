import { bytes, percent } from "../../src/report/page/format.ts";
import { shown } from "../../src/report/page/metrics.ts";
import type { RunRecord } from "../../src/runs/record.ts";
import { mainMetric, mainValue, signedText } from "../../src/tasks/metric.ts";
import { markdownTable } from "../markdown-table.ts";
import type { Published } from "./published.ts";
import { latenciesFile, type RecordLatency } from "./record-latencies.ts";

/** The sweep whose runs a newcomer sees first. */
const sweep = "fashion-mnist-front";

/** Images at once of the times that the table shows. */
const BATCH = 32;

/** One network under each method, the float32 one first: what bits cost and bring. */
export function frontTable(published: readonly Published[], latencies: readonly RecordLatency[]): string {
  const runs = published.flatMap(({ record, config }) =>
    config === sweep && record.result ? [{ record, result: record.result }] : [],
  );
  const float = runs.find(({ record }) => record.config.method.name === "fp32");
  const [first] = runs;
  if (float === undefined || first === undefined) throw new Error(`reports/${sweep} has no run in float32`);
  const value = ({ record, result }: typeof float) => mainValue(record.task, result.metrics);
  const metric = mainMetric(first.record.task);
  const rows = runs
    .toSorted((a, b) => b.result.relativeBops - a.result.relativeBops)
    .map((run) => {
      const { relativeBops, bytes: sizes } = run.result;
      return [
        bitsOf(run.record),
        shown(metric, value(run)),
        run === float ? "" : signedText(metric, value(run) - value(float)),
        bytes(sizes.packed),
        run === float ? "" : `${(sizes.fp32 / sizes.packed).toFixed(1)}`,
        percent(relativeBops),
        run === float ? "" : speedOf(run.record, latencies),
      ];
    });
  return markdownTable(
    [
      "bits",
      metric.label,
      "points against float32",
      "weights",
      "times smaller",
      "relative bit operations",
      "times as fast",
    ],
    rows,
  );
}

function speedOf({ name }: RunRecord, latencies: readonly RecordLatency[]): string {
  const latency = latencies.find(({ config, run, batch }) => config === sweep && run === name && batch === BATCH);
  if (latency === undefined) throw new Error(`${latenciesFile} has no time of ${name}: npm run bench:records`);
  return (latency.fp32MedianMs / latency.medianMs).toFixed(1);
}

function bitsOf({ config: { method } }: RunRecord): string {
  if (method.name === "fp32") return "float32";
  if (method.name === "fixed") return `${method.weights} everywhere`;
  if (!("prior" in method) || method.prior.target === undefined) throw new Error(`${sweep}: ${method.name}, no budget`);
  const { target } = method.prior;
  return "relativeBops" in target ? `learned, budget ${target.relativeBops} %` : `learned, ${target.sizeBytes} bytes`;
}
