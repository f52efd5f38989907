import { applyByKind } from "../core/by-kind.ts";
import { lookup } from "../core/lookup.ts";
import type { NodeId } from "../graph/graph.ts";
import { inputsOf, onlyOutput } from "../graph/walk.ts";
import type { Network } from "../kinds/index.ts";
import { learnedChannels } from "../methods/bit-accounting.ts";
import { keptChannels } from "../network/channels.ts";
import { layersOf } from "../network/layers.ts";
import { outputShapes } from "../network/output-shapes.ts";
import type { Activation, TrainedValues } from "./freeze-place.ts";
import { freezeRules } from "./freeze-rules.ts";
import type { FrozenNetwork, FrozenNode } from "./frozen-network.ts";

export interface FreezeInput extends TrainedValues {
  readonly network: Network;
  readonly classes: readonly string[];
  readonly normalization: FrozenNetwork["normalization"];
}

/**
 * Freezes a trained network: gates at their test-time values, weights as integer codes, batch normalization with its
 * running statistics in weights and biases, pruned channels cut out. A pruned channel still carries its bias through
 * ReLU and quantizer, the same number at every position; that constant times the next layer's weights goes into the
 * next layer's bias, so that cutting changes nothing. Which channels stay, `followChannels` says; what each kind of node
 * becomes, `freezeRules`.
 *
 * @throws UserError when a layer has lost all its channels.
 */
export function freeze({ network, classes, normalization, ...trained }: FreezeInput): FrozenNetwork {
  const layers = new Map(layersOf(network).map((layer) => [layer.name, layer]));
  const shapes = outputShapes(network);
  const states = learnedChannels(network, trained.quantizers);
  const activations = new Map<NodeId, Activation>();
  const nodes: FrozenNode[] = [];
  for (const node of network.nodes) {
    const sources = inputsOf(node).flatMap((id) => activations.get(id) ?? []);
    const shape = lookup(shapes, node.id);
    const kept = keptChannels(lookup(states, node.id));
    const base = {
      id: node.id,
      inputs: sources.map((source) => source.node),
      outputShape: [...shape.slice(0, -1), kept.length],
    };
    const frozen = applyByKind(freezeRules, node, { sources, shape, kept, base, layers, shapes, trained });
    if (frozen === null) continue;
    nodes.push(...frozen.nodes);
    activations.set(node.id, frozen.activation);
  }
  return { name: network.name, nodes, output: lookup(activations, onlyOutput(network)).node, classes, normalization };
}
