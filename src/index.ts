/** The library's public API. */

export { loadConfig } from "./config/load-config.ts";
export type { RunConfig } from "./config/schema.ts";
export { UsageError, UserError } from "./core/errors.ts";
export { type Reporter, silent } from "./core/progress.ts";
export type { Dataset } from "./data/dataset.ts";
export { type Engine, loadEngine } from "./engine/load-engine.ts";
export { freeze } from "./export/freeze.ts";
export type { FrozenNetwork } from "./export/frozen-network.ts";
export { lower } from "./export/onnx/lower.ts";
export type { Network } from "./kinds/index.ts";
export { type ComparisonOptions, renderComparison } from "./report/comparison/render-comparison.ts";
export { renderReport } from "./report/run/render-report.ts";
export type { RunRecord } from "./runs/record.ts";
export { readRecord } from "./runs/record-file.ts";
