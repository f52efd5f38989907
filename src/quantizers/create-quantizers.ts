import type { Network, NodeId, QuantizerNode } from "../graph/graph.ts";
import { type Layer, layersOf } from "../network/layers.ts";
import { outputShapes } from "../network/shapes.ts";
import type { BitWidth } from "../quantization/levels.ts";
import { GatedQuantizer, type InitialGates } from "./gated-quantizer.ts";

export interface CreateQuantizersOptions {
  readonly initial: InitialGates;
  readonly prior: "const" | "bop";
  /** Whether every output channel of a weight has a range of its own. */
  readonly weightRanges?: "per-tensor" | "per-channel";
  /** The bit-width of a quantizer whose level gates do not learn. */
  readonly bitsOf?: (node: QuantizerNode) => BitWidth;
}

/** Layers that a quantizer serves: its own for a weight, all that read it for an activation. */
export const layersServedBy = (layers: readonly Layer[], id: NodeId): readonly Layer[] =>
  layers.filter((layer) => layer.weightQuantizer === id || layer.inputQuantizer === id);

/** The quantizers of a network with their gates at the start; an activation's MACs are its consumers' sum. */
export function createQuantizers(
  network: Network,
  { initial, prior, weightRanges, bitsOf }: CreateQuantizersOptions,
): ReadonlyMap<NodeId, GatedQuantizer> {
  const layers = layersOf(network);
  const shapes = outputShapes(network);
  const largest = Math.max(...layers.map(({ macs }) => macs));
  const quantizers = network.nodes.filter((node): node is QuantizerNode => node.kind === "quantizer");
  return new Map(
    quantizers.map((node) => {
      const macs = layersServedBy(layers, node.id).reduce((sum, layer) => sum + layer.macs, 0);
      const channels = shapes.get(node.id)!.at(-1)!;
      const quantizer = new GatedQuantizer(node, {
        channels,
        ranges: weightRanges === "per-channel" && node.role === "weight" ? channels : 1,
        initial,
        prior: { kind: prior, macShare: macs / largest },
        levels: bitsOf === undefined ? "learned" : "fixed",
      });
      if (bitsOf !== undefined) quantizer.setBits(bitsOf(node));
      return [node.id, quantizer];
    }),
  );
}
