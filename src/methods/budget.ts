import { last } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import type { NodeId } from "../graph/graph.ts";
import { elementsOf } from "../graph/shape.ts";
import type { Network } from "../kinds/index.ts";
import { type Layer, layersOf } from "../network/layers.ts";
import { type Product, productsOf } from "../network/products.ts";
import { type LayerCost, relativeBitOperations, unquantizedBits } from "../quantization/bit-operations.ts";
import type { Quantizer } from "../quantizers/abstract-quantizer.ts";
import { account } from "./bit-accounting.ts";
import type { Target } from "./method.ts";

type Quantizers = ReadonlyMap<NodeId, Quantizer>;

/** What a budget is counted in: percent of bit operations, or bytes. */
export interface Budget {
  readonly limit: number;
  /** With the gates at their test-time values: what the run is judged by. */
  cost(quantizers: Quantizers): number;
  /** With gates open by their probabilities: smooth in the gates' parameters. */
  expected(quantizers: Quantizers): number;
}

/** How a target is measured on a network. */
export function budgetOf(network: Network, target: Target): Budget {
  const layers = layersOf(network);
  const products = productsOf(network);
  if ("relativeBops" in target) {
    return {
      limit: target.relativeBops,
      cost: (quantizers) => account(network, quantizers).relativeBops,
      expected: (quantizers) =>
        relativeBitOperations([
          ...layers.map((layer) => ({ macs: layer.macs, ...expectedShares(layer, layers, quantizers) })),
          ...products.map((product) => expectedProduct(product, quantizers)),
        ]),
    };
  }
  return {
    limit: target.sizeBytes,
    cost: (quantizers) => account(network, quantizers).packedBytes,
    expected: (quantizers) =>
      layers.reduce((sum, layer) => {
        const { weightBits, keptOutputs, keptInputs } = expectedShares(layer, layers, quantizers);
        const biases = layer.shift === null ? 0 : last(layer.outputShape) * keptOutputs;
        return sum + (elementsOf(layer.weightShape) * keptOutputs * keptInputs * weightBits) / 8 + 4 * biases;
      }, 0),
  };
}

const expectedBits = (quantizers: Quantizers) => (id: NodeId | null, otherwise: number) =>
  id === null ? otherwise : lookup(quantizers, id).expectedBits;

function expectedProduct({ macs, quantizers: [left, right] }: Product, quantizers: Quantizers): LayerCost {
  const bits = expectedBits(quantizers);
  return { macs, weightBits: bits(right, 32), inputBits: bits(left, 32), keptOutputs: 1, keptInputs: 1 };
}

/** Expected bits and kept shares of a layer; its inputs' are those of the layer before it on a straight chain. */
function expectedShares(layer: Layer, layers: readonly Layer[], quantizers: Quantizers) {
  const bits = expectedBits(quantizers);
  const kept = ({ weightQuantizer }: Layer) =>
    (weightQuantizer === null ? null : lookup(quantizers, weightQuantizer).keepProbability) ?? 1;
  const before = layer.kind === "depthwise-conv2d" ? undefined : layers.find(({ name }) => name === layer.previous);
  return {
    weightBits: bits(layer.weightQuantizer, 32),
    inputBits: bits(layer.inputQuantizer, unquantizedBits(layer)),
    keptOutputs: kept(layer),
    keptInputs: before === undefined ? 1 : kept(before),
  };
}
