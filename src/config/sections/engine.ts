import { z } from "zod";
import { count } from "./numbers.ts";

export const engine = z
  .strictObject({
    kind: z
      .enum(["auto", "native", "wasm"])
      .default("auto")
      .describe("which TensorFlow: native where it is set up, else WebAssembly"),
    threads: count.optional().describe("threads of the native engine; without it, one per core"),
  })
  .prefault({})
  .describe("the numerical engine");
