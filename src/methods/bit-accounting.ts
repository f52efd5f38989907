import type { NodeId } from "../network/graph.ts";
import type { Layer } from "../network/layers.ts";
import { bitOperations, type LayerCost, relativeBitOperations } from "../quantization/bit-operations.ts";
import type { BitWidth } from "../quantization/levels.ts";
import type { GatedQuantizer } from "./gated-quantizer.ts";

/** Bits of the network's input: it is 8-bit image data. */
const INPUT_BITS = 8;

/** What one layer costs with the learned bits and channels. */
export interface LayerAccount {
  readonly layer: Layer;
  readonly weightBits: BitWidth;
  readonly inputBits: BitWidth;
  readonly outputs: number;
  readonly keptOutputs: number;
  readonly inputs: number;
  readonly keptInputs: number;
  readonly cost: LayerCost;
  readonly bops: number;
  /** Weights and biases that are left. */
  readonly parameters: number;
  /** Bytes of the packed weight and of its float32 bias. */
  readonly bytes: number;
}

/** The network's account: where bit operations, MACs and sizes are computed, and nowhere else. */
export interface Account {
  readonly layers: readonly LayerAccount[];
  /** Percent of the 32×32-bit, unpruned network. */
  readonly relativeBops: number;
  readonly packedBytes: number;
  readonly fp32Bytes: number;
  readonly channels: { readonly kept: number; readonly of: number };
  readonly parameters: { readonly kept: number; readonly of: number };
}

/**
 * Counts bit operations, parameters and bytes for the test-time gates. A layer that no quantizer serves counts 32
 * bits; the inputs that a layer keeps are the outputs that the layer before it keeps.
 */
export function account(layers: readonly Layer[], quantizers: ReadonlyMap<NodeId, GatedQuantizer>): Account {
  const keptOf = new Map<string, number>();
  const accounts = layers.map((layer): LayerAccount => {
    const weight = layer.weightQuantizer === null ? null : quantizers.get(layer.weightQuantizer)!;
    const outputs = layer.weightShape.at(-1)!;
    const keptOutputs = weight?.kept?.length ?? outputs;
    keptOf.set(layer.name, keptOutputs / outputs);
    const keptShare = layer.previous === null ? 1 : keptOf.get(layer.previous)!;
    const inputs = layer.weightShape.at(-2)!;
    const cost = {
      macs: layer.macs,
      weightBits: weight?.bits ?? 32,
      inputBits: inputBits(layer, quantizers),
      keptOutputs: keptOutputs / outputs,
      keptInputs: keptShare,
    };
    const weights = layer.weightShape.reduce((total, size) => total * size, 1) * cost.keptOutputs * keptShare;
    const biases = layer.bias === null ? 0 : keptOutputs;
    return {
      layer,
      weightBits: weight?.bits ?? 32,
      inputBits: inputBits(layer, quantizers),
      outputs,
      keptOutputs,
      inputs,
      keptInputs: Math.round(inputs * keptShare),
      cost,
      bops: bitOperations(cost),
      parameters: Math.round(weights) + biases,
      bytes: Math.ceil((Math.round(weights) * cost.weightBits) / 8) + 4 * biases,
    };
  });
  const sum = (value: (account: LayerAccount) => number) =>
    accounts.reduce((total, account) => total + value(account), 0);
  const prunable = accounts.filter(
    ({ layer }) => layer.weightQuantizer && quantizers.get(layer.weightQuantizer)!.prune,
  );
  const parameters = sum(({ layer }) => layer.parameters);
  return {
    layers: accounts,
    relativeBops: relativeBitOperations(accounts.map(({ cost }) => cost)),
    packedBytes: sum(({ bytes }) => bytes),
    fp32Bytes: 4 * parameters,
    channels: {
      kept: prunable.reduce((total, { keptOutputs }) => total + keptOutputs, 0),
      of: prunable.reduce((total, { outputs }) => total + outputs, 0),
    },
    parameters: { kept: sum(({ parameters }) => parameters), of: parameters },
  };
}

/** The network's input is 8-bit data; an activation without a quantizer has 32 bits. */
function inputBits(layer: Layer, quantizers: ReadonlyMap<NodeId, GatedQuantizer>): BitWidth {
  if (layer.inputQuantizer !== null) return quantizers.get(layer.inputQuantizer)!.bits;
  return layer.previous === null ? INPUT_BITS : 32;
}
