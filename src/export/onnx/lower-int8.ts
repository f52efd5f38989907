import type { FrozenNetwork } from "../frozen-network.ts";
import { lowerIntegers } from "./lower-integers.ts";
import type { Lowered, LowerOptions } from "./model-frame.ts";
import { codesInBytes } from "./operator-codes.ts";
import { multipliedWeight, storedWeight } from "./stored-weight.ts";
import type { WeightStorage } from "./weight-storage.ts";

/** The `int8` form: every weight of 8 bits or less in 8. */
const int8: WeightStorage = {
  doc: "2-, 4- and 8-bit weights and activations in 8-bit containers, wider ones in float32.",
  sharedMultiples: false,
  blockDense: false,
  least: 8,
  codes: codesInBytes,
  floats: (graph, ordered, weight) =>
    weight.bits === 16
      ? multipliedWeight(graph, { ordered, weight, least: 8 })
      : storedWeight(graph, { ordered, weight, least: 8 }),
};

/** An ONNX file in the `int8` form, operator set 13. */
export const lowerInt8 = (network: FrozenNetwork, options: LowerOptions): Lowered =>
  lowerIntegers(network, int8, options);
