import type { RunConfig } from "../../config/schema.ts";
import { last } from "../../core/elements.ts";
import { UsageError, UserError } from "../../core/errors.ts";
import { lookup } from "../../core/lookup.ts";
import type { Network } from "../../kinds/index.ts";
import type { QuantizerNode } from "../../kinds/quantizer.ts";
import { layersOf } from "../../network/layers.ts";
import { type ChannelBits, type GridBits, type IntegerWidth, widest } from "../../quantization/levels.ts";
import { readRecord } from "../../runs/record-file.ts";
import type { GivenWidths } from "../method.ts";
import { bitTable } from "../trained/fixed.ts";

type BitsConfig = Extract<RunConfig["method"], { name: "nearest" }>["bits"];

/**
 * The bit-width of every quantizer: as given, or those that another run has come to.
 *
 * @throws UsageError when a name is no quantizer's, or a width is none of its kind.
 * @throws UserError when the run cannot be read or does not know a quantizer.
 */
export function givenBits(network: Network, bits: BitsConfig): GivenWidths {
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

function bitsOfRun(network: Network, folder: string): GivenWidths {
  const { epochs, postTraining, result, network: described } = readRecord(folder);
  const learned = Object.entries(epochs.at(-1)?.quantizers ?? {});
  const known = new Map<string, GridBits | readonly IntegerWidth[]>(
    Object.entries(postTraining?.bits ?? Object.fromEntries(learned.map(([id, { bits }]) => [id, bits]))),
  );
  for (const { name, channelBits } of result?.layers ?? []) {
    const quantizer = described.layers.find((layer) => layer.name === name)?.weightQuantizer;
    if (quantizer && channelBits) known.set(quantizer, unpruned(channelBits));
  }
  const outputs = new Map(layersOf(network).map((layer) => [layer.weightQuantizer, last(layer.weightShape)]));
  return new Map(
    quantizersOf(network).map(({ id }) => {
      const bits = known.get(id);
      if (bits === undefined) {
        throw new UserError(
          `method.bits.from: the run ${folder} has no bit-width for ${id}; is it a finished run of the same network, with the same method.quantizeAddends?`,
        );
      }
      if (typeof bits === "object" && bits.length !== outputs.get(id)) {
        throw new UserError(
          `method.bits.from: the run ${folder} has ${bits.length} bit-widths for ${id}, one for each output channel, of which this network's has ${outputs.get(id) ?? "none"}: is it a run of the same network?`,
        );
      }
      return [id, bits];
    }),
  );
}

/** A pruned channel gets the narrowest width that another one has; a weight with channels of 32 bits stays in float32. */
function unpruned(channels: readonly ChannelBits[]): GridBits | readonly IntegerWidth[] {
  const kept = channels.filter((bits) => bits !== 0);
  const narrowest = kept.reduce<ChannelBits>((least, bits) => (bits < least ? bits : least), widest(kept));
  const widths = channels.map((bits) => (bits === 0 ? narrowest : bits));
  return widths.every((bits): bits is IntegerWidth => bits !== 0 && bits !== 32) ? widths : 32;
}
