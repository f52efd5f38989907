import type { SoftmaxKernels } from "../extensions.ts";
import { type Arena, of } from "./arena.ts";

/** One kernel each. */
export const softmax = (arena: Arena): SoftmaxKernels => ({
  softmax: (x) => arena.make((tf) => tf.softmax(of(x))),
  log: (x) => arena.make((tf) => tf.log(of(x))),
});
