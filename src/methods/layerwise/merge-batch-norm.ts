import { last } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import type { NodeId } from "../../graph/graph.ts";
import { rewire } from "../../graph/rewrite.ts";
import type { BatchNormNode } from "../../kinds/batch-norm.ts";
import type { BiasNode } from "../../kinds/bias.ts";
import { isLayer, type LayerNode, type Network, type Node } from "../../kinds/index.ts";
import { normAsAffine } from "../../kinds/norm-affine.ts";
import type { ParameterNode } from "../../kinds/parameter.ts";
import type { InitialValues } from "../../network/initial-values.ts";
import { layersOf } from "../../network/layers.ts";

/** The bias of a layer that had none. */
const biasId = (layer: NodeId): NodeId => `${layer}.bias`;

/**
 * The network as it is deployed: every layer has a weight and a bias, and a batch normalization that stands behind a
 * layer is part of them. One that stands elsewhere stays as it is, in float32. `mergeValues` gives the numbers.
 */
export function mergeBatchNorm(network: Network): Network {
  const shifts = new Map(layersOf(network).map(({ node, shift }) => [node.id, shift]));
  const channels = new Map(layersOf(network).map(({ node, weightShape }) => [node.id, last(weightShape)]));
  const merged = new Map<NodeId, BatchNormNode>();
  for (const shift of shifts.values()) if (shift?.kind === "batch-norm") merged.set(shift.id, shift);
  const unread = new Set([...merged.values()].flatMap(({ inputs }) => inputs.slice(1)));
  /** Layers without a shift: their readers read what is added behind them. */
  const renamed = new Map<NodeId, NodeId>();
  const biasOf = (layer: LayerNode, id: NodeId): [ParameterNode, BiasNode] => [
    {
      kind: "parameter",
      id: biasId(layer.id),
      role: "bias",
      shape: [lookup(channels, layer.id)],
      initial: { kind: "constant", value: 0 },
    },
    { kind: "bias", id, inputs: [layer.id, biasId(layer.id)] },
  ];
  const layers = new Map(network.nodes.filter(isLayer).map((node) => [node.id, node]));
  const nodes = network.nodes.flatMap((node): readonly Node[] => {
    if (unread.has(node.id)) return [];
    const norm = merged.get(node.id);
    if (norm !== undefined) return biasOf(lookup(layers, norm.inputs[0]), norm.id);
    const rewired = rewire(node, renamed);
    if (!isLayer(node) || shifts.get(node.id) !== null) return [rewired];
    const id = `${node.id}.biased`;
    renamed.set(node.id, id);
    return [rewired, ...biasOf(node, id)];
  });
  return { ...network, nodes, outputs: network.outputs.map((id) => renamed.get(id) ?? id) };
}

/** The values of the merged network's parameters, for those of `network` with its running statistics. */
export function mergeValues(network: Network, values: InitialValues): InitialValues {
  const parameters = new Map(values.parameters);
  const statistics = new Map(values.statistics);
  for (const { node, weight, shift, weightShape } of layersOf(network)) {
    if (shift === null) parameters.set(biasId(node.id), new Float32Array(last(weightShape)));
    if (shift?.kind !== "batch-norm") continue;
    const [, scale, beta] = shift.inputs;
    const folded = normAsAffine(lookup(statistics, shift.id), {
      epsilon: shift.epsilon,
      scale: lookup(parameters, scale),
      shift: lookup(parameters, beta),
    });
    const outputs = folded.factor.length;
    parameters.set(
      weight,
      lookup(parameters, weight).map((value, index) => value * folded.factor[index % outputs]!),
    );
    parameters.set(biasId(node.id), folded.shift);
    for (const id of [scale, beta]) parameters.delete(id);
    statistics.delete(shift.id);
  }
  return { parameters, statistics };
}
