import { at, last } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import type { NodeId } from "../graph/graph.ts";
import { elementsOf } from "../graph/shape.ts";
import { inputsOf, nodesById, usesOf } from "../graph/walk.ts";
import { isLayer, isShift, kindOf, type LayerNode, type Network, type Node } from "../kinds/index.ts";
import { type Layer, layersOf } from "../network/layers.ts";
import { outputShapes } from "../network/output-shapes.ts";

/** Values by parameter, and 1/sqrt(variance + epsilon) by batch normalization: what a deployed weight is made of. */
export interface Weights {
  readonly parameters: ReadonlyMap<NodeId, Float32Array>;
  readonly inverseDeviations: ReadonlyMap<NodeId, Float32Array>;
}

/** A layer whose output channels only one other layer reads, through a ReLU. */
interface Pair {
  readonly first: Layer;
  readonly second: Layer;
  /** Elements of an image per channel where the second layer reads a flattened one. */
  readonly positions: number;
}

/** Rounds over all pairs: a layer in the middle of a chain is in two of them. */
const ROUNDS = 20;

/**
 * Cross-layer equalization (Nagel et al., 2019, arXiv 1906.04721): for a channel between two layers, a factor goes from
 * one's weights into the other's so that both have the same range; a positive factor passes through a ReLU, so that the
 * network computes the same. ReLU6 does not let it pass: replace those first (`withoutReluLimits`). Where a batch
 * normalization stands behind a layer, its scale and shift take the factor.
 *
 * @returns The parameters that change; the others stay as they are.
 */
export function equalizeLayers(
  network: Network,
  { parameters, inverseDeviations }: Weights,
): ReadonlyMap<NodeId, Float32Array> {
  const changed = new Map<NodeId, Float32Array>();
  const valuesOf = (id: NodeId): Float32Array => {
    const known = changed.get(id);
    if (known !== undefined) return known;
    const copy = Float32Array.from(lookup(parameters, id));
    changed.set(id, copy);
    return copy;
  };
  /** |scale/sigma| of the batch normalization behind a layer, that its deployed weight is multiplied by. */
  const folded = ({ shift }: Layer, output: number): number => {
    if (shift === null || shift.kind === "bias") return 1;
    return Math.abs(valuesOf(shift.inputs[1])[output]! * lookup(inverseDeviations, shift.id)[output]!);
  };
  const pairs = pairsOf(network);
  for (let round = 0; round < ROUNDS; round++) {
    for (const { first, second, positions } of pairs) {
      const channels = last(first.outputShape);
      const before = new Float64Array(channels);
      valuesOf(first.weight).forEach((value, index) => {
        const output = index % channels;
        before[output] = Math.max(before[output]!, Math.abs(value) * folded(first, output));
      });
      const read = readers(second, channels, positions);
      const after = new Float64Array(channels);
      const weight = valuesOf(second.weight);
      weight.forEach((value, index) => {
        const input = read(index);
        after[input] = Math.max(after[input]!, Math.abs(value) * folded(second, index % weightOutputs(second)));
      });
      // A channel that one side does not use has no range to share.
      const factors = before.map((range, channel) =>
        range > 0 && after[channel]! > 0 ? Math.sqrt(range / after[channel]!) : 1,
      );
      divideOutputs(first, factors, valuesOf);
      weight.forEach((value, index) => {
        weight[index] = value * factors[read(index)]!;
      });
    }
  }
  return changed;
}

/** The network with ReLU in place of ReLU6, as equalization needs it; where nothing reached 6 it computes the same. */
export const withoutReluLimits = (network: Network): Network => ({
  ...network,
  nodes: network.nodes.map((node) => (node.kind === "relu" ? { ...node, limit: null } : node)),
});

const weightOutputs = ({ weightShape }: Layer): number => last(weightShape);

/** The input channel that an element of a weight reads. */
function readers({ node, weightShape }: Layer, channels: number, positions: number): (index: number) => number {
  const outputs = last(weightShape);
  if (node.kind === "depthwise-conv2d") return (index) => index % outputs;
  if (node.kind === "conv2d") {
    const inputs = at(weightShape, -2);
    const groupOf = (index: number) => Math.floor(((index % outputs) * node.groups) / outputs);
    return (index) => groupOf(index) * inputs + (Math.floor(index / outputs) % inputs);
  }
  const inputs = positions === 1 ? channels : channels * positions;
  // A flattened image has its channels fastest.
  return (index) => (Math.floor(index / outputs) % inputs) % channels;
}

/** Divides what a layer gives, per channel. */
function divideOutputs({ weight, shift }: Layer, factors: Float64Array, valuesOf: (id: NodeId) => Float32Array): void {
  const divided = shift === null || shift.kind === "bias" ? [weight] : [shift.inputs[1]];
  if (shift !== null) divided.push(shift.kind === "bias" ? shift.inputs[1] : shift.inputs[2]);
  for (const id of divided) {
    const values = valuesOf(id);
    values.forEach((value, index) => {
      values[index] = value / factors[index % factors.length]!;
    });
  }
}

function pairsOf(network: Network): readonly Pair[] {
  const nodes = nodesById(network);
  const shapes = outputShapes(network);
  const layers = new Map(layersOf(network).map((layer) => [layer.name, layer]));
  const uses = usesOf(network);
  return network.nodes.filter(isLayer).flatMap((second) => {
    const found = layerBefore(second, nodes, uses);
    if (found === null) return [];
    const { first, flattened } = found;
    const positions = flattened === null ? 1 : elementsOf(lookup(shapes, flattened)) / last(lookup(shapes, flattened));
    return [{ first: lookup(layers, first), second: lookup(layers, second.id), positions }];
  });
}

/** The layer that another alone reads, with nothing between but its shift and what a positive factor passes through. */
function layerBefore(
  second: LayerNode,
  nodes: ReadonlyMap<NodeId, Node>,
  uses: ReadonlyMap<NodeId, number>,
): { readonly first: NodeId; readonly flattened: NodeId | null } | null {
  let flattened: NodeId | null = null;
  let node = lookup(nodes, second.inputs[0]);
  while (uses.get(node.id) === 1) {
    if (isLayer(node)) return { first: node.id, flattened };
    const [input] = inputsOf(node);
    if (input === undefined) return null;
    const before = lookup(nodes, input);
    // The shift of a layer takes the factor itself.
    const passes = kindOf(node).letsFactorsPass(node) || (isShift(node) && isLayer(before));
    if (!passes) return null;
    if (node.kind === "flatten") flattened = input;
    node = before;
  }
  return null;
}
