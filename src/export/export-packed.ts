import { createHash } from "node:crypto";
import type { ExportRecord } from "../runs/record.ts";
import { lowerPacked } from "./onnx/lower-packed.ts";
import { opsetOf, readModel } from "./onnx/read-model.ts";
import { type VerifyOptions, verify } from "./verify.ts";
import { writeVerified } from "./write-verified.ts";

export interface ExportOptions extends Omit<VerifyOptions, "readFrom"> {
  /** Goes into the file's own metadata, beside name, class names and bits per tensor. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Exports a frozen network as ONNX in the `packed` form: lowered, written, run over the whole test set in
 * onnxruntime, and given its final name only when it agrees with the trainer.
 *
 * @throws UserError when the file cannot be written or disagrees; nothing stands under the final name then.
 */
export async function exportPacked({ metadata, ...options }: ExportOptions): Promise<ExportRecord> {
  const { file, network } = options;
  const bytes = lowerPacked(network, { metadata });
  const verification = await writeVerified(file, bytes, (written) => verify({ ...options, readFrom: written }));
  return {
    form: "packed",
    file,
    bytes: bytes.byteLength,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    opset: opsetOf(readModel(bytes, file)),
    verification,
  };
}
