import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import type { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import type * as TensorFlow from "@tensorflow/tfjs-core";
import type { Ops } from "../ops.ts";
import { portableOps } from "./portable-ops.ts";

// The packages' ES modules lack file extensions, which Node's loader wants: their CommonJS builds it is.
const require = createRequire(import.meta.url);

/** TensorFlow.js, whose WebAssembly kernels stand in for the native engine. */
export const portableVersion = `tfjs ${(require("@tensorflow/tfjs-core/package.json") as { version: string }).version} (WebAssembly)`;

/** Starts the WebAssembly backend. */
export async function createPortableOps(): Promise<Ops> {
  // CommonJS gives them without types.
  const tf = require("@tensorflow/tfjs-core") as typeof TensorFlow;
  // As above.
  const wasm = require("@tensorflow/tfjs-backend-wasm") as { setWasmPaths: typeof setWasmPaths };
  wasm.setWasmPaths(dirname(require.resolve("@tensorflow/tfjs-backend-wasm")) + sep);
  tf.env().set("IS_NODE", true);
  await tf.setBackend("wasm");
  await tf.ready();
  return portableOps(tf);
}
