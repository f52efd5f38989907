import { readFileSync } from "node:fs";
import * as web from "onnxruntime-web";
import { messageOf } from "../../../src/core/errors.ts";
import type { FileSession, RuntimeTensor } from "../../../src/onnx/file-session.ts";
import { readSamples } from "../../../src/ptq/read-samples.ts";
import { Samples } from "../../../src/ptq/samples.ts";

web.env.wasm.numThreads = 1;

/** Inputs of one run. */
export async function firstInputs(
  { inputs }: Pick<FileSession, "inputs">,
  data: string,
): Promise<Readonly<Record<string, RuntimeTensor>>> {
  const names = inputs.map(({ name }) => name);
  const { arrays } = await readSamples(data, names);
  const { value } = await Samples.of(inputs, arrays, data).batches(Uint32Array.of(0)).next();
  return value?.inputs ?? {};
}

/** Loads a file in onnxruntime-web (WebAssembly) and runs it once. Gives its words where it does not, null where it does. */
export async function runInWeb(file: string, inputs: Readonly<Record<string, RuntimeTensor>>): Promise<string | null> {
  try {
    const options = { executionProviders: ["wasm"], logSeverityLevel: 3 } as const;
    const session = await web.InferenceSession.create(new Uint8Array(readFileSync(file)), options);
    try {
      // The same types of numbers, by the constructors of the other package.
      const feeds = Object.entries(inputs).map(([name, { type, data, dims }]) => [
        name,
        new web.Tensor(type as "float32", data as Float32Array, dims),
      ]);
      await session.run(Object.fromEntries(feeds));
      return null;
    } finally {
      await session.release();
    }
  } catch (error) {
    return messageOf(error).split("\n")[0] ?? "";
  }
}
