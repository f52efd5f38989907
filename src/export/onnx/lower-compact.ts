import type { FrozenNetwork } from "../frozen-network.ts";
import { lowerIntegers } from "./lower-integers.ts";
import type { Lowered, LowerOptions } from "./model-frame.ts";
import { packedCodes } from "./operator-codes.ts";
import { multipliedWeight } from "./stored-weight.ts";
import type { WeightStorage } from "./weight-storage.ts";

/**
 * The `compact` form: weights packed at their bit-widths. Runtimes make 8 bits of them when they load the file, as all
 * that does so is constant, and compute as in the `int8` form.
 */
export const compact: WeightStorage = {
  doc: "Weights at their learned bit-widths, packed; 2-, 4- and 8-bit activations in 8-bit containers, wider ones in float32.",
  sharedMultiples: true,
  blockDense: false,
  least: 2,
  codes: packedCodes,
  floats: (graph, ordered, weight) => multipliedWeight(graph, { ordered, weight, least: 2 }),
};

/** An ONNX file in the `compact` form. The operator set is the lowest that has the types used: 25, 21 or 13. */
export const lowerCompact = (network: FrozenNetwork, options: LowerOptions): Lowered =>
  lowerIntegers(network, compact, options);
