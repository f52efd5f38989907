import type { QuantizeConfig } from "../config/quantize-schema.ts";
import type { Reporter } from "../core/progress.ts";
import type { RuntimeValue } from "../onnx/file-session.ts";
import type { Calibration } from "./open-weights.ts";
import type { SampleBatch } from "./samples.ts";

/** What a file is calibrated on, and compared on. */
export interface CalibrationData extends AsyncDisposable {
  readonly calibration: Calibration;
  /** Samples that calibration did not see, unless there is one alone. */
  compared(): { readonly count: number; readonly batches: AsyncIterable<SampleBatch> };
  /** The first `count` of them. */
  firstCompared(count: number): Promise<Calibration>;
  /** Whether samples have labels. */
  readonly labelled: boolean;
  readonly sha256: string;
  /** What is to be known of it. */
  readonly notes: readonly string[];
  /** What was found of the settings that were left out. */
  readonly settings: Pick<QuantizeConfig, "data" | "input" | "calibration">;
}

export interface DataContext {
  /** Of the model. */
  readonly inputs: readonly RuntimeValue[];
  readonly reporter: Reporter;
  /** Samples of one run at most, where the model leaves the number open; as many as usual if left out. */
  readonly batch?: number;
}
