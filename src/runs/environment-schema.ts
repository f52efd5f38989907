import { z } from "zod";

/** What a run computed on. */
export const environment = z.object({
  version: z.string().describe("version of this program"),
  node: z.string(),
  platform: z.string().describe("operating system and processor architecture, as linux-x64"),
  cpu: z.string(),
  engine: z.enum(["native", "wasm"]),
  tensorflow: z.string(),
  device: z.string(),
  threads: z.int().nonnegative(),
  instructionSets: z.array(z.string()),
});
