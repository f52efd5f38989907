import { statSync } from "node:fs";
import { resolve } from "node:path";
import { type AgainstFloat, againstFloat, intervalName } from "../runs/against-float.ts";
import { readBaselines } from "../runs/baselines.ts";
import { type BudgetMet, budgetMet } from "../runs/budget-met.ts";
import { deliveredExport } from "../runs/exports.ts";
import type { ExportRecord, RunRecord, Verification } from "../runs/record.ts";
import { modelFile, runFiles } from "../runs/run-directory.ts";
import { metricsText, namedText, signedText, valueText } from "../tasks/metric.ts";
import type { Context } from "./context.ts";

/**
 * Prints a finished run's figures and files; with `--json` as one line for machines.
 *
 * @param written The exported files among those; all of them if left out.
 * @returns What was said of it against float32.
 */
export function printResult(
  folder: string,
  record: RunRecord,
  context: Pick<Context, "json" | "print">,
  written: readonly ExportRecord[] = record.exports,
): AgainstFloat | null {
  // Whoever writes the report warns of baselines that cannot be read.
  const against = againstFloat(
    record,
    readBaselines(folder, () => {}),
  );
  printFigures(folder, { record, against, budget: budgetMet(record) }, context, written);
  return against;
}

interface Judged {
  readonly record: RunRecord;
  readonly against: AgainstFloat | null;
  readonly budget: BudgetMet | null;
}

function printFigures(
  folder: string,
  { record, against, budget }: Judged,
  { json, print }: Pick<Context, "json" | "print">,
  written: readonly ExportRecord[],
): void {
  const { result, environment, times } = record;
  if (result === null) return;
  const delivered = deliveredExport(record);
  const verified = delivered?.verification != null;
  const { metrics, relativeBops, bytes, channels } = result;
  if (json) {
    const { engine } = environment;
    const { seconds } = times;
    const figures = { relativeBops, bytes, channels, seconds, engine, verified, diverged: result.diverged ?? null };
    const judged = { againstFloat: against && machineText(against), budget };
    print(JSON.stringify({ run: folder, ...metrics, ...figures, ...judged, files: filesOf(folder, written) }));
    return;
  }
  const files = runFiles(folder);
  const { form } = record.config.export;
  const size = (path: string) => `${path}  (${statSync(path, { throwIfNoEntry: false })?.size ?? 0} bytes)`;
  const ratio = (bytes.fp32 / bytes.packed).toFixed(1);
  print(
    `${record.name}: ${metricsText(record.task, metrics)} on ${record.data.testImages} test images at ${relativeBops.toFixed(3)} % relative BOPs`,
  );
  if (result.diverged !== undefined) print(`  DIVERGED   ${result.diverged}`);
  if (against) print(`  float32    ${floatText(against)}`);
  if (budget) print(`  budget     ${budgetText(budget)}`);
  print(`  weights    ${bytes.packed} bytes packed, ${bytes.fp32} in float32 (${ratio} times smaller)`);
  const { parameters, macs } = result;
  print(`  parameters ${parameters.kept} of ${parameters.of} left`);
  if (macs) print(`  MACs       ${macs.kept} of ${macs.of} left`);
  print(`  channels   ${channels.kept} of ${channels.of} kept`);
  print(`  time       ${times.seconds.toFixed(0)} s on the ${environment.engine} engine`);
  print(`  network    ${size(modelFile(folder, form))}${verified ? ", verified" : ""}`);
  for (const note of delivered?.notes ?? []) print(`             ${note}`);
  print(`  report     ${size(files.report)}`);
  print(`  checkpoint ${size(files.checkpoint)}`);
}

/** `99.20 % before quantization: −0.14 (95 % interval −0.41 to +0.13, Newcombe’s, unpaired)`. */
function floatText({ metric, float, source, difference, interval }: AgainstFloat): string {
  const signed = (value: number) => signedText(metric, value);
  const within =
    interval === null ? "" : ` (95 % interval ${signed(interval[0])} to ${signed(interval[1])}, ${intervalName})`;
  return `${valueText(metric, float)} ${metric.label} ${source}: ${signed(difference)}${within}`;
}

function budgetText({ kind, limit, value, met }: BudgetMet): string {
  const what =
    kind === "relativeBops" ? `${value.toFixed(3)} of ${limit} % relative BOPs` : `${value} of ${limit} bytes packed`;
  return `${what}: ${met ? "met" : "NOT MET"}`;
}

const machineText = ({ metric, interval, ...figures }: AgainstFloat) => ({
  metric: metric.key,
  ...figures,
  interval,
  intervalKind: interval && "newcombe-unpaired",
});

/** The files of a run that are there, as `--json` lists them. */
function filesOf(folder: string, written: readonly ExportRecord[]) {
  const { report, bits, checkpoint } = runFiles(folder);
  const exported = written.map(({ file, form }) => ({ kind: "network", form, path: resolve(folder, file) }));
  const others = Object.entries({ report, bits, checkpoint }).map(([kind, path]) => ({ kind, path: resolve(path) }));
  return [...exported, ...others].flatMap((file) => {
    const bytes = statSync(file.path, { throwIfNoEntry: false })?.size;
    return bytes === undefined ? [] : [{ ...file, bytes }];
  });
}

/** Prints what the export found: agreement, and latency beside the unpruned network's. */
export function printExport(
  exported: ExportRecord,
  { task }: Pick<RunRecord, "task">,
  { print }: Pick<Context, "print">,
): void {
  const { file, form, bytes, opset, verification } = exported;
  print(`${file}: ${form}, ${opset === undefined ? "" : `opset ${opset}, `}${bytes} bytes`);
  if (verification) {
    const { runtime, images, metrics, agreement, layers } = verification;
    const equal = Math.min(...layers.map(({ equalCodes }) => equalCodes));
    const near = agreement.map(namedText);
    print(`  verified   ${runtime}: ${metricsText(task, metrics)} on ${images} images, ${near.join(", ")}`);
    if (verification.kernels) print(`  kernels    ${kernelsText(verification.kernels)}`);
    print(`  codes      at least ${equal.toFixed(4)} % equal in each of ${layers.length} layers`);
  }
  if (!verification) print("  not verified: its runtime is not here");
  for (const { batch, threads, medianMs, fp32MedianMs } of verification?.latency ?? []) {
    const on = threads === undefined ? "" : `, threads ${threads}`;
    const times = `${medianMs.toFixed(3)} ms, unpruned in float32 ${fp32MedianMs.toFixed(3)} ms`;
    print(`  latency    batch ${batch}${on}: ${times} (${(fp32MedianMs / medianMs).toFixed(2)} times as fast)`);
  }
}

const kernelsText = ({ integer, float }: NonNullable<Verification["kernels"]>): string => {
  const others = float.length === 0 ? "" : `, in float32: ${float.join(", ")}`;
  return `${integer} of ${integer + float.length} layers in integers${others}`;
};
