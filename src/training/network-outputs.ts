import { first } from "../core/elements.ts";
import type { ByteBatch, Dataset } from "../data/dataset.ts";
import { readFloats } from "../engine/read-floats.ts";
import { forward } from "../network/passes.ts";
import type { Model } from "./model.ts";
import { networkInput } from "./network-input.ts";
import { passOf, soleInput } from "./pass.ts";

/** What a network without quantizers gives for samples, [count, outputs], in an array of its own. */
export function networkOutputs(
  model: Model,
  batch: Pick<ByteBatch, "count" | "images">,
  normalization: Dataset["normalization"],
): Float32Array {
  const { ops, network } = model;
  return ops.scope(
    () => {
      const inputs = soleInput(network, networkInput(model, batch, normalization));
      const pass = passOf(model, new Map(), inputs, { training: false });
      return readFloats(ops, first(forward(network, pass, { keep: false }).outputs)).slice();
    },
    () => [],
  );
}
