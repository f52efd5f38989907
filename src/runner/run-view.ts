import { basename } from "node:path";
import { first } from "../core/elements.ts";
import { UsageError } from "../core/errors.ts";
import type { QuantizedRecord } from "../ptq/quantized-record.ts";
import { readQuantizedRecord } from "../ptq/read-quantized-record.ts";
import { bitsNow, learnedNow, weightsKept } from "../report/run/run-state.ts";
import type { RunRecord } from "../runs/record.ts";
import { readRecord } from "../runs/record-file.ts";
import type { Figure } from "../tasks/metric.ts";
import { type FoundRun, findRuns } from "./find-runs.ts";

/** A tensor with its bits, as they stood last. */
export interface ViewedTensor {
  readonly tensor: string;
  readonly role: "weight" | "activation";
  readonly bits: number;
  /** Channels that are left, as export keeps them once there is a result; null where none can be pruned. */
  readonly kept: number | null;
}

/** What a record says of a run or of a quantized file, in one form. */
export interface RunView {
  readonly run: string;
  readonly name: string;
  readonly status: RunRecord["status"];
  readonly network: string;
  readonly data: string | null;
  readonly method: string;
  /** All of them, defaults too. */
  readonly settings: object;
  readonly tensors: readonly ViewedTensor[];
  /** What it came to, the main figure first; none before the end. */
  readonly figures: readonly Figure[];
}

/** @throws UserError where its record cannot be read. */
export const viewRun = ({ folder, quantized }: FoundRun): RunView =>
  quantized === null
    ? viewRecord(folder, readRecord(folder))
    : ofQuantized(folder, readQuantizedRecord(folder, quantized));

/**
 * The only run of a folder.
 *
 * @throws UsageError where it holds none, or several; UserError where its record cannot be read.
 */
export function viewFolder(folder: string): RunView {
  const found = findRuns(folder);
  if (found.length === 1) return viewRun(first(found));
  const names = found
    .slice(0, 3)
    .map((one) => one.folder)
    .join(", ");
  throw new UsageError(
    found.length === 0
      ? `${folder} holds no run: bayesian-bits list FOLDER names those of a folder`
      : `${folder} holds ${found.length} runs (${names}${found.length > 3 ? ", …" : ""}): name one`,
  );
}

const percent = { unit: "%", digits: 3 } as const;
const number = { unit: "", digits: 0 } as const;
const bytes = { unit: "bytes", digits: 0 } as const;
const time = { unit: "s", digits: 1 } as const;

/** What the record of a run says; `run` is its folder. */
export function viewRecord(run: string, record: RunRecord): RunView {
  const { name, status, network, data, config, times } = record;
  return {
    ...{ run, name, status, network: network.name, data: data.name, method: config.method.name, settings: config },
    tensors: tensorsOf(record),
    figures: [
      ...figuresOf(record),
      ...(status === "finished" ? [{ key: "seconds", label: "time", ...time, value: times.seconds }] : []),
    ],
  };
}

function figuresOf({ task, result }: RunRecord): readonly Figure[] {
  if (result === null) return [];
  const { metrics, relativeBops, bytes: sizes, channels, parameters, macs } = result;
  return [
    ...task.metrics.flatMap(({ key, label, unit, digits }) => {
      const value = metrics[key];
      return value === undefined ? [] : [{ key, label, unit, digits, value }];
    }),
    { key: "relativeBops", label: "relative bit operations", ...percent, value: relativeBops },
    { key: "packedBytes", label: "packed weights", ...bytes, value: sizes.packed },
    { key: "channels", label: "channels kept", ...number, value: channels.kept },
    { key: "parameters", label: "parameters kept", ...number, value: parameters.kept },
    ...(macs === undefined ? [] : [{ key: "macs", label: "MACs kept", ...number, value: macs.kept }]),
  ];
}

function tensorsOf(record: RunRecord): readonly ViewedTensor[] {
  const kept = weightsKept(record);
  return record.quantizers.flatMap(({ id, role, channels }) => {
    const bits = bitsNow(record, id);
    if (bits === null) return [];
    // Export keeps a channel whose gate is closed where others that are added to it need it.
    const left = channels === null ? null : (kept.get(id) ?? learnedNow(record, id)?.kept ?? null);
    return [{ tensor: id, role, bits, kept: left }];
  });
}

function ofQuantized(run: string, record: QuantizedRecord): RunView {
  const { source, settings, layers, activations, comparison, plan, seconds } = record;
  const outputs = comparison?.outputs ?? [];
  const least = (values: readonly number[]) => (values.length === 0 ? [] : [Math.min(...values)]);
  const top1 = outputs.flatMap((output) => output.top1 ?? []).slice(0, 1);
  const sqnrDb = least(outputs.flatMap((output) => output.sqnrDb ?? []));
  const agreement = least(outputs.flatMap((output) => output.agreement ?? []));
  const bops = plan?.plans[0]?.relativeBops ?? null;
  const figure = (key: string, label: string, unit: string, digits: number) => (value: number) => ({
    ...{ key, label, unit, digits, value },
  });
  return {
    ...{ run, name: settings.name ?? basename(source.file), status: "finished", network: basename(source.file) },
    ...{ data: null, method: settings.method.name ?? "nearest", settings },
    tensors: [
      ...layers.map(({ name, bits }) => ({ tensor: name, role: "weight" as const, bits, kept: null })),
      ...activations.map(({ name, bits }) => ({ tensor: name, role: "activation" as const, bits, kept: null })),
    ],
    figures: [
      ...top1.map(figure("top1", "top-1", "%", 2)),
      ...sqnrDb.map(figure("sqnrDb", "signal-to-noise ratio", "dB", 1)),
      ...agreement.map(figure("agreement", "the same class", "%", 2)),
      ...(bops === null ? [] : [figure("relativeBops", "relative bit operations", "%", 3)(bops)]),
      figure("bytes", "file", "bytes", 0)(record.bytes),
      figure("seconds", "time", "s", 1)(seconds),
    ],
  };
}
