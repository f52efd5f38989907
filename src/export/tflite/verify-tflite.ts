import type { Verification } from "../../runs/record.ts";
import { compareTensors, otherNetwork } from "../compare-tensors.ts";
import { compareFile, type VerifyOptions } from "../verify.ts";
import { LiteRt } from "./litert.ts";
import type { LoweredTflite } from "./lower-tflite.ts";
import { tensorsOf } from "./read-tflite.ts";
import { tfliteInLiteRt } from "./tflite-in-litert.ts";

interface VerifyTfliteOptions extends Omit<VerifyOptions, "readFrom"> {
  readonly lowered: LoweredTflite;
}

/**
 * Compares a TensorFlow Lite file with what was written, then runs it over the whole test set in LiteRT and compares it
 * with the trainer's kernels, by the rules of ONNX files.
 *
 * @param bytes What the file holds.
 * @throws UserError when it is damaged or disagrees, naming the first tensor or layer that differs.
 */
export async function verifyTflite(bytes: Uint8Array, options: VerifyTfliteOptions): Promise<Verification> {
  const { file, lowered, threads } = options;
  requireSame(bytes, lowered.bytes, file);
  const runtime = await LiteRt.start();
  try {
    return await compareFile(tfliteInLiteRt(runtime, { file, lowered, threads }), options);
  } finally {
    await runtime.stop();
  }
}

function requireSame(bytes: Uint8Array, written: Uint8Array, file: string): void {
  if (Buffer.compare(bytes, written) === 0) return;
  compareTensors(tensorsOf(bytes, file), tensorsOf(written, file), file);
  throw otherNetwork(file, "that its operators make", "in how it is computed");
}
