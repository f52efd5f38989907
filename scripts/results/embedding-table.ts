import { first, last } from "../../src/core/elements.ts";
import { groupRuns } from "../../src/report/comparison/configurations.ts";
import { spreadOf } from "../../src/report/comparison/spread.ts";
import { bytes, duration, integer, times } from "../../src/report/page/format.ts";
import { differenceText } from "../../src/report/page/metrics.ts";
import type { RunRecord } from "../../src/runs/record.ts";
import { mainMetric, mainValue } from "../../src/tasks/metric.ts";
import { markdownTable } from "../markdown-table.ts";
import { metricMean } from "./metric-mean.ts";
import type { Published } from "./published.ts";

/** What a run's table of embeddings is, and what it takes. */
interface Embeddings {
  readonly title: string;
  /** As stored. */
  readonly bytes: number;
  /** As the paper counts codes; null of others. */
  readonly countedBits: number | null;
}

/** A row for each way to store the embeddings of a text classifier, the smallest table first. */
export function embeddingTable(published: readonly Published[]): string {
  const records = published.map(({ record }) => record).filter(({ network }) => network.name === "text-classifier");
  if (records.length === 0) return markdownTable(head, []);
  const metric = mainMetric(first(records).task);
  const topOf = ({ task, result }: RunRecord) => mainValue(task, result!.metrics);
  const whole = records.filter(({ config, network }) => config.method.name === "fp32" && !isFactored(network));
  const full = { value: spreadOf(whole.map(topOf)).mean, bytes: embeddingsOf(first(whole)).bytes };
  const rows = groupRuns(records).map(({ runs }) => {
    const { title, bytes: stored, countedBits } = embeddingsOf(first(runs));
    const top = spreadOf(runs.map(topOf));
    const cells = [
      title,
      metricMean(metric, top),
      stored === full.bytes ? "" : differenceText(metric, top.mean - full.value),
      bytes(stored),
      stored === full.bytes ? "" : times(full.bytes / stored),
      countedBits === null ? "" : times((8 * full.bytes) / countedBits),
      `${integer(runs.length)} of ${duration(spreadOf(runs.map(({ times }) => times.seconds)).mean)}`,
    ];
    return { stored, cells };
  });
  return markdownTable(
    head,
    rows.toSorted((one, other) => one.stored - other.stored).map(({ cells }) => cells),
  );
}

const head = ["embeddings", "top-1", "against float32", "table", "smaller", "by the paper's count", "runs"];

const isFactored = ({ layers }: RunRecord["network"]): boolean => layers.some(({ name }) => name === "projection");

function embeddingsOf({ config, network, result }: RunRecord): Embeddings {
  const { layers, coded } = result!;
  const [code] = coded ?? [];
  if (code !== undefined) {
    const { codewords, groups, codeBytes, valueBytes, countedBits } = code;
    const variant = config.method.name === "dpq" ? config.method.variant.toUpperCase() : "";
    const title = `DPQ-${variant}, ${codewords} codewords, ${groups} codes`;
    return { title, bytes: codeBytes + valueBytes, countedBits };
  }
  const { name, weightShape } = first(network.layers.filter(({ kind }) => kind === "embedding"));
  const { weightBits } = first(layers.filter((layer) => layer.name === name));
  const bytes = layers
    .filter((layer) => layer.name === name || layer.name === "projection")
    .reduce((sum, layer) => sum + layer.bytes, 0);
  const width = weightBits === 32 ? "float32" : `${weightBits} bits`;
  const units = last(weightShape);
  const title = isFactored(network) ? `two factors of rank ${units}` : `${width}, ${units} units`;
  return { title, bytes, countedBits: null };
}
