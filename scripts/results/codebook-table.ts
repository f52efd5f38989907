import { first } from "../../src/core/elements.ts";
import { bytes, times } from "../../src/report/page/format.ts";
import { againstFloat } from "../../src/runs/against-float.ts";
import type { RunRecord } from "../../src/runs/record.ts";
import { mainMetric, mainValue, signedText } from "../../src/tasks/metric.ts";
import { markdownTable } from "../markdown-table.ts";
import type { Published } from "./published.ts";

/** What is compared, by the head of its column. */
const columns = [
  "plain k-means",
  "weighed by inputs",
  "+ each fine-tuned",
  "+ all fine-tuned",
  "AdaRound",
  "Bit-Split",
] as const;

type Column = (typeof columns)[number];

/** Weights as codebooks of one size, or as integers of one width. */
interface Row {
  readonly title: string;
  readonly runs: RunRecord[];
  /** Against float32, in the main metric's unit. */
  readonly differences: Map<Column, number>;
}

/**
 * What becomes of networks whose weights are codes into codebooks, stage by stage, and of the same networks by AdaRound and
 * Bit-Split: the smallest first.
 */
export function codebookTable(published: readonly Published[]): string {
  const records = published.map(({ record }) => record);
  const networks = new Set(records.filter(({ codebooks }) => codebooks !== undefined).map(taskOf));
  const rows = new Map<string, Row>();
  for (const record of records.filter((record) => networks.has(taskOf(record)))) {
    for (const { title, column, difference } of entriesOf(record)) {
      const key = `${taskOf(record)} ${title}`;
      const row = rows.get(key) ?? { title, runs: [], differences: new Map<Column, number>() };
      rows.set(key, row);
      row.runs.push(record);
      row.differences.set(column, difference);
    }
  }
  const cells = [...rows.values()].map(({ title, runs, differences }) => {
    const { result, task } = first(runs);
    const { packed, fp32 } = result!.bytes;
    const metric = mainMetric(task);
    const shown = (column: Column) => {
      const difference = differences.get(column);
      return difference === undefined ? "" : signedText(metric, difference);
    };
    return { packed, row: [taskOf(first(runs)), title, bytes(packed), times(fp32 / packed), ...columns.map(shown)] };
  });
  return markdownTable(
    ["network", "weights", "bytes", "smaller", ...columns],
    cells.toSorted((one, other) => one.packed - other.packed).map(({ row }) => row),
  );
}

const taskOf = ({ network, data }: RunRecord): string => `${network.name} on ${data.name}`;

type Entry = { readonly title: string; readonly column: Column; readonly difference: number };

/** What a run says: one that fine-tuned all codebooks, of each by itself before that, too. */
function entriesOf(record: RunRecord): readonly Entry[] {
  const { config, task, codebooks } = record;
  const { method } = config;
  const against = againstFloat(record, []);
  if (against === null) return [];
  const { difference } = against;
  if (method.name === "adaround" || method.name === "bit-split") {
    const column = method.name === "adaround" ? "AdaRound" : "Bit-Split";
    if ("from" in method.bits) return [];
    return [{ title: `${method.bits.weights} bits`, column, difference }];
  }
  if (method.name !== "product-quantization" || !codebooks?.metrics) return [];
  const title = `blocks of ${method.blockSize.conv}, ${method.centroids.conv} centroids`;
  if (method.finetune.steps === 0 && config.training.epochs === 0) {
    return [{ title, column: method.activations === false ? "plain k-means" : "weighed by inputs", difference }];
  }
  const { metrics, floatMetrics } = codebooks;
  const before = mainValue(task, metrics) - mainValue(task, floatMetrics);
  return [
    { title, column: "+ each fine-tuned", difference: before },
    { title, column: "+ all fine-tuned", difference },
  ];
}
