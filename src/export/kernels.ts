import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EncodedModel } from "../onnx/encode-model.ts";
import { createSession } from "../onnx/file-session.ts";
import { readModel } from "./onnx/read-model.ts";

const integerKernels = new Set([
  "QLinearConv",
  "ConvInteger",
  "QGemm",
  "QLinearMatMul",
  "MatMulInteger",
  "MatMulIntegerToFloat",
]);
const floatKernels = new Set([
  "Conv",
  "FusedConv",
  "ConvTranspose",
  "Gemm",
  "MatMul",
  "FusedGemm",
  "FusedMatMul",
  "MatMulNBits",
]);

/** What the layers of an ONNX file run in. */
export interface Kernels {
  readonly integer: number;
  /** Names of the nodes that run in float32. */
  readonly float: readonly string[];
  /** Every operator of the file as the runtime runs it, in order. */
  readonly operators: readonly string[];
}

/** Loads a file in onnxruntime and counts the kernels that its default optimizations choose. */
export async function kernelsOf(model: Uint8Array | EncodedModel): Promise<Kernels> {
  const folder = mkdtempSync(join(tmpdir(), "bayesian-bits-kernels-"));
  const path = join(folder, "optimized.onnx");
  try {
    const threads = { intraOpNumThreads: 1, interOpNumThreads: 1 };
    // Constants that the runtime computes may be more than a file of the format can hold.
    const beside = { optimized_model_external_initializers_file_name: "weights" };
    const extra = { session: { ...beside, optimized_model_external_initializers_min_size_in_bytes: "1024" } };
    const options = { ...threads, extra, optimizedModelFilePath: path, logSeverityLevel: 4 } as const;
    await (await createSession(model, options)).release();
    const nodes = readModel(readFileSync(path), path).graph?.node ?? [];
    const among = (kinds: ReadonlySet<string>) => nodes.filter(({ opType }) => kinds.has(opType ?? ""));
    return {
      integer: among(integerKernels).length,
      // The runtime adds to the names of nodes that it changes: conv1_nchwc.
      float: among(floatKernels).map(({ name }) => (name ?? "").replace(/_nchwc$/, "")),
      operators: nodes.map(({ opType }) => opType ?? ""),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
