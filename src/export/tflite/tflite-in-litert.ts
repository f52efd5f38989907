import { floatRounding, type Rounding } from "../compare-codes.ts";
import type { FileRuntime } from "../file-runtime.ts";
import type { LiteRt, LiteRtKernels } from "./litert.ts";
import type { LoweredTflite } from "./lower-tflite.ts";

/**
 * Of kernels that multiply an int32 sum by a 32-bit number, round, shift it to the right by n bits and round again: a
 * sum within 2^-(n+1) steps of a boundary may get the other code, however many sums do.
 */
const fixedPointRounding: Rounding = { steps: 0.5, share: 1 };

const roundings: { readonly [K in LiteRtKernels]: Rounding } = {
  default: floatRounding,
  own: fixedPointRounding,
  reference: fixedPointRounding,
};

interface TfliteInLiteRtOptions {
  /** Its name in messages. */
  readonly file: string;
  readonly lowered: Pick<LoweredTflite, "withOutputs">;
  readonly threads?: number | undefined;
  readonly kernels?: LiteRtKernels;
}

/** A TensorFlow Lite file in LiteRT. */
export const tfliteInLiteRt = (
  runtime: LiteRt,
  { file, lowered, kernels = "default", threads }: TfliteInLiteRtOptions,
): FileRuntime => ({
  name: runtime.name,
  channelsLast: true,
  rounding: roundings[kernels],
  load: (shown) => runtime.load(lowered.withOutputs(shown), file, { kernels, threads }),
});
