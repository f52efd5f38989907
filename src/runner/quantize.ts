import type { RunSettings } from "../config/schema.ts";
import type { RunRecord } from "../runs/record.ts";
import { readRecord } from "../runs/record-file.ts";
import { type TrainOptions, train } from "./train.ts";

/** Settings of a method that quantizes a trained network layer by layer, without labels. */
export type PostTrainingMethod = Extract<
  RunSettings["method"],
  { name: "nearest" | "adaround" | "bit-split" | "product-quantization" }
>;

export interface QuantizeOptions extends TrainOptions {
  readonly method: PostTrainingMethod;
  /** The run's name; without it, that of the trained run and the method's. */
  readonly name?: string;
  /** Whether the ranges of the trained weights are equalized across layers first. */
  readonly equalize?: boolean;
}

/**
 * Quantizes the network that a run has trained, on the same data: a run of its own, in a folder of its own.
 *
 * @param from The folder of the trained run.
 * @returns The finished run's record.
 * @throws as {@link train}.
 */
export function quantize(
  from: string,
  { method, name, equalize = false, ...options }: QuantizeOptions,
): Promise<RunRecord> {
  const { config } = readRecord(from);
  const settings = { ...config, name: name ?? `${config.name}-${method.name}`, method, training: { from, equalize } };
  return train(settings, options);
}
