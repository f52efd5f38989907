import type { SoftmaxKernels } from "../extensions.ts";
import type { Executor } from "./executor.ts";
import { float } from "./kernel-attributes.ts";

/** One kernel each. */
export const softmax = (run: Executor): SoftmaxKernels => ({
  softmax: (x) => run.run(run.kernel("Softmax", float), [x]),
  log: (x) => run.run(run.kernel("Log", float), [x]),
});
