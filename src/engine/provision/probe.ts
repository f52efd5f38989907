import { UserError } from "../../core/errors.ts";
import { runTool, ToolError } from "./run-tool.ts";

/** Says nothing when a binding works, and throws when it does not. */
export type Probe = (binding: string, signal?: AbortSignal) => Promise<void>;

/** Multiplies two matrices: [1 2; 3 4]² has 54 as the sum of its elements. */
const program = `
const b = require(process.argv[1]);
const x = b.createTensor([2, 2], 1, Float32Array.of(1, 2, 3, 4));
const attributes = [
  { name: "transpose_a", type: b.TF_ATTR_BOOL, value: false },
  { name: "transpose_b", type: b.TF_ATTR_BOOL, value: false },
  { name: "T", type: b.TF_ATTR_TYPE, value: 1 },
];
const [{ id }] = b.executeOp("MatMul", attributes, [x, x], 1);
const sum = b.tensorDataSync(id).reduce((a, c) => a + c);
if (sum !== 54) throw new Error("wrong product: " + sum);
`;

/**
 * Loads a binding and computes with it, in a process of its own: a processor or a C library that is too old for
 * TensorFlow ends the process that loads it.
 *
 * @throws UserError with what went wrong.
 */
export async function probeBinding(binding: string, signal?: AbortSignal): Promise<void> {
  try {
    await runTool(process.execPath, ["-e", program, binding], {
      env: { TF_CPP_MIN_LOG_LEVEL: "3", NODE_OPTIONS: "" },
      timeoutMinutes: 2,
      signal,
    });
  } catch (error) {
    const output = error instanceof ToolError ? error.output : "";
    const complaint = /^\w*Error: .*$/m.exec(output)?.[0] ?? String(error);
    const remedy = /SIGILL/.test(complaint)
      ? "this processor lacks instructions (AVX) that TensorFlow needs"
      : "TensorFlow 2.21 needs glibc 2.27 and the C++ library of g++ 9, or newer ones";
    throw new UserError(`the engine does not run here: ${complaint}; ${remedy}`, { cause: error });
  }
}
