import type { QuantizedLayout, Saturation } from "../config/sections/export-settings.ts";
import type { LayerwiseMethod } from "../config/sections/methods/layerwise-settings.ts";
import { UsageError } from "../core/errors.ts";
import type { Reporter } from "../core/progress.ts";
import type { HarmTable } from "../ptq/harm-table.ts";
import type { granularities } from "../ptq/weight-site.ts";
import type { WeightBits } from "../quantization/weight-grid.ts";

export interface QuantizeFileOptions {
  /** Where the file and what is known of it go; made where there is none. */
  readonly folder: string;
  readonly weights?: WeightBits;
  /** Widths of single layers, by patterns of their names; the first pattern that fits counts. */
  readonly layerBits?: Readonly<Record<string, WeightBits>>;
  /** What has a step: the whole weight, an output channel (default), or so many inputs of one in Gemm and MatMul. */
  readonly granularity?: (typeof granularities)[number];
  /** What weights may come to, as `25%`, `300kB` or `avg:4`: each gets 2, 4 or 8 bits, by what that does to the outputs. */
  readonly budget?: string;
  /** What another run of the file has measured: with it a budget takes no measuring. */
  readonly measured?: EarlierRun;
  /** What finds the codes: all but `nearest` need `data`. */
  readonly method?: LayerwiseMethod;
  /** Optimizer steps of AdaRound for each layer. */
  readonly iterations?: number | undefined;
  /** Needs `data` unless it is 32: left in float. With data 8 if left out, else 32. */
  readonly activations?: 8 | 16 | 32;
  /** A .npz file with one array for each input, its samples along the first axis; or a .npy file for a sole input. */
  readonly data?: string;
  /** Refuses a file whose outputs have less, in dB, or keep the class of less, in percent. They need `data`. */
  readonly minSqnrDb?: number | undefined;
  readonly minAgreement?: number | undefined;
  /** Whether weights of 8 bits are int8 where x86 processors without VNNI could saturate; if left out, "allow" on others. */
  readonly saturation?: Saturation | undefined;
  /** Names of nodes that are left alone; `*` stands for anything. */
  readonly skip?: readonly string[];
  /** Whose names the files get; "plain", model.onnx, if left out. */
  readonly layout?: QuantizedLayout;
  /** Replaces what the folder holds. */
  readonly force?: boolean;
  readonly seed?: number;
  readonly reporter?: Reporter;
}

/** A run of the same file on the same data. */
export interface EarlierRun {
  /** Its folder, in messages. */
  readonly folder: string;
  readonly table: HarmTable;
  readonly sha256: string;
  /** Of the data; null: there was none. */
  readonly dataSha256: string | null;
}

/** @throws UsageError where options do not go together. */
export function checkOptions({ layout, budget, data, minSqnrDb, minAgreement }: QuantizeFileOptions): void {
  if (layout === "transformers.js" && budget !== undefined) {
    throw new UsageError(
      "--layout transformers.js names files by the bits of their weights, and a budget mixes them: give --weights",
    );
  }
  if (minSqnrDb === undefined && minAgreement === undefined) return;
  if (minSqnrDb !== undefined && !Number.isFinite(minSqnrDb)) {
    throw new UsageError(`--min-sqnr ${minSqnrDb}: expected a number of dB`);
  }
  if (minAgreement !== undefined && !(minAgreement >= 0 && minAgreement <= 100)) {
    throw new UsageError(`--min-agreement ${minAgreement}: expected percent, from 0 to 100`);
  }
  if (data === undefined) {
    throw new UsageError("thresholds are held against samples: give some with --data, as --data samples.npz");
  }
}
