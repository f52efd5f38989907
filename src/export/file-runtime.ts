import type { FileInputValues } from "../onnx/file-session.ts";
import type { Rounding } from "./compare-codes.ts";
import type { RuntimeValues } from "./runtime.ts";

/** A file in its runtime. Call `release` at the end. */
export interface LoadedFile {
  /**
   * Runs a batch: `values` in the order of `shape`. Gives every output by name.
   *
   * @throws UserError when the file does not take this input.
   */
  run(values: FileInputValues, shape: readonly number[]): Promise<ReadonlyMap<string, RuntimeValues>>;
  release(): Promise<void>;
}

/** A file with the runtime that verifies it. */
export interface FileRuntime {
  /** Name and version of the runtime, as records print it. */
  readonly name: string;
  /** Whether images are [batch, height, width, channels] in the file; otherwise [batch, channels, height, width]. */
  readonly channelsLast: boolean;
  readonly rounding: Rounding;
  /**
   * Loads the file with the values named `shown` among its outputs.
   *
   * @throws UserError when the runtime refuses it.
   */
  load(shown: readonly string[]): Promise<LoadedFile>;
}
