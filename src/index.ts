/** The library's public API (docs/library.md). */

export { loadConfig } from "./config/load-config.ts";
export { loadQuantize } from "./config/load-quantize.ts";
export { parseConfig } from "./config/parse-config.ts";
export type { QuantizeSettings } from "./config/quantize-schema.ts";
export type { RunConfig, RunSettings } from "./config/schema.ts";
export type { DataSettings } from "./config/sections/data-settings.ts";
export type { TaskConfig } from "./config/sections/task-settings.ts";
export { type ExitCode, exitCodes, StoppedError, UsageError, UserError } from "./core/errors.ts";
export { type Progress, type Reporter, silent } from "./core/progress.ts";
export type { QuantizedRecord } from "./ptq/quantized-record.ts";
export { readQuantizedRecord } from "./ptq/read-quantized-record.ts";
export { type ComparisonOptions, renderComparison } from "./report/comparison/render-comparison.ts";
export { renderQuantizedReport } from "./report/quantized/render-quantized-report.ts";
export { type ReportOptions, renderReport } from "./report/run/render-report.ts";
export { type EvaluatedOnnx, type EvaluateOnnxOptions, evaluateOnnx } from "./runner/evaluate-onnx.ts";
export { type EvaluatedRun, type EvaluateRunOptions, evaluateRun } from "./runner/evaluate-run.ts";
export { type ExportRunOptions, exportRun } from "./runner/export-run.ts";
export { type PostTrainingMethod, type QuantizeOptions, quantize } from "./runner/quantize.ts";
export { quantizeFile } from "./runner/quantize-file.ts";
export type { QuantizeFileOptions } from "./runner/quantize-options.ts";
export type { StepProgress } from "./runner/step-progress.ts";
export { type TrainOptions, train } from "./runner/train.ts";
export type { EpochRecord, ExportRecord, RunRecord, RunResult, Verification } from "./runs/record.ts";
export { readRecord } from "./runs/record-file.ts";
export type { Figure, Metric, Metrics, TaskDescription } from "./tasks/metric.ts";
