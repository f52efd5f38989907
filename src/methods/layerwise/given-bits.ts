import type { RunConfig } from "../../config/schema.ts";
import { UsageError, UserError } from "../../core/errors.ts";
import { lookup } from "../../core/lookup.ts";
import type { NodeId } from "../../graph/graph.ts";
import type { Network } from "../../kinds/index.ts";
import type { QuantizerNode } from "../../kinds/quantizer.ts";
import type { GridBits } from "../../quantization/levels.ts";
import { readRecord } from "../../runs/record-file.ts";
import { bitTable } from "../trained/fixed.ts";

type BitsConfig = Extract<RunConfig["method"], { name: "nearest" }>["bits"];

/**
 * The bit-width of every quantizer: as given, or those that another run has come to.
 *
 * @throws UsageError when a name is no quantizer's, or a width is none of its kind.
 * @throws UserError when the run cannot be read or does not know a quantizer.
 */
export function givenBits(network: Network, bits: BitsConfig): ReadonlyMap<NodeId, GridBits> {
  if ("from" in bits) return bitsOfRun(network, bits.from);
  const table = bitTable<GridBits>(network, bits, "method.bits.tensors");
  for (const { id, role } of quantizersOf(network)) {
    const width = lookup(table, id);
    const allowed = role === "weight" ? [2, 3, 4, 8] : [4, 8, 16, 32];
    if (!allowed.includes(width)) {
      throw new UsageError(`method.bits.tensors: expected ${allowed.join(", ")} for the ${role} ${id}, got ${width}`);
    }
  }
  return table;
}

const quantizersOf = (network: Network): readonly QuantizerNode[] =>
  network.nodes.filter((node): node is QuantizerNode => node.kind === "quantizer");

function bitsOfRun(network: Network, folder: string): ReadonlyMap<NodeId, GridBits> {
  const { epochs, postTraining } = readRecord(folder);
  const learned = Object.entries(epochs.at(-1)?.quantizers ?? {});
  const known = postTraining?.bits ?? Object.fromEntries(learned.map(([id, { bits }]) => [id, bits]));
  return new Map(
    quantizersOf(network).map(({ id }) => {
      const bits = known[id];
      if (bits === undefined) {
        throw new UserError(
          `method.bits.from: the run ${folder} has no bit-width for ${id}; is it a finished run of the same network, with the same method.quantizeAddends?`,
        );
      }
      return [id, bits];
    }),
  );
}
