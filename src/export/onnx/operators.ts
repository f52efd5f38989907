import type { Padding } from "../../graph/graph.ts";
import {
  type FrozenLayer,
  type FrozenNetwork,
  type FrozenNode,
  type FrozenQuantizer,
  isFrozenLayer,
} from "../frozen-network.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { channelsLastIndices, convolutionOrder, denseOrder, flattenedImage } from "./layout.ts";

/** A node whose operator is the same in every form. */
export type PlainNode = Exclude<FrozenNode, FrozenLayer | FrozenQuantizer | { readonly kind: "input" }>;

export interface Wiring {
  /** The values that it reads, float32 or, where only the order of elements changes, codes. */
  readonly inputs: readonly string[];
  readonly output: string;
  /** Name of what padding adds; zero if left out. */
  readonly zero?: string | undefined;
}

/** Adds the operator of a node that has no weight and no grid, named after the node. */
export function addPlain(graph: GraphBuilder, network: FrozenNetwork, node: PlainNode, wiring: Wiring): void {
  const { id: name } = node;
  const { inputs, output } = wiring;
  switch (node.kind) {
    case "relu":
      if (node.limit === null) graph.node("Relu", inputs, { name, output });
      else {
        const bounds = [graph.floats(`${name}.low`, [0], []), graph.floats(`${name}.high`, [node.limit], [])];
        graph.node("Clip", [...inputs, ...bounds], { name, output });
      }
      return;
    case "affine": {
      const [scale, shift] = (["scale", "shift"] as const).map((kind) =>
        graph.floats(`${name}.${kind}`, channelsFirst(network, node, node[kind]), channelShape(node)),
      );
      const scaled = graph.node("Mul", [inputs[0]!, scale!], { name: `${name}.scaled` });
      graph.node("Add", [scaled, shift!], { name, output });
      return;
    }
    case "max-pool":
    case "average-pool": {
      const { size, stride, padding } = node;
      const attributes = { kernel_shape: [size, size], strides: [stride, stride], pads: pads(padding) };
      graph.node(node.kind === "max-pool" ? "MaxPool" : "AveragePool", inputs, { name, output, attributes });
      return;
    }
    case "global-average-pool": {
      const pooled = graph.node("GlobalAveragePool", inputs, { name: `${name}.pooled` });
      graph.node("Flatten", [pooled], { name, output, attributes: { axis: 1 } });
      return;
    }
    case "add":
      graph.node("Add", inputs, { name, output });
      return;
    case "pad": {
      const { top, bottom, left, right } = node.padding;
      const [before, after] = node.channels;
      const sizes = graph.int64s(`${name}.sizes`, [0, before, top, left, 0, after, bottom, right]);
      const zero = wiring.zero === undefined ? [] : [wiring.zero];
      graph.node("Pad", [inputs[0]!, sizes, ...zero], { name, output });
      return;
    }
    case "select": {
      const channels = graph.int64s(`${name}.indices`, node.channels);
      graph.node("Gather", [inputs[0]!, channels], { name, output, attributes: { axis: 1 } });
      return;
    }
    case "flatten":
      graph.node("Flatten", inputs, { name, output, attributes: { axis: 1 } });
      return;
  }
}

const pads = ({ top, bottom, left, right }: Padding) => [top, left, bottom, right];

/** The shape in which one number per channel broadcasts over [batch, channels, height, width] or [batch, units]. */
export const channelShape = ({ outputShape }: Pick<FrozenNode, "outputShape">): readonly number[] =>
  outputShape.length === 3 ? [outputShape[2]!, 1, 1] : outputShape;

function channelsFirst(network: FrozenNetwork, node: FrozenNode, values: Float32Array): Float32Array {
  const image = node.outputShape.length === 1 ? flattenedImage(network, node.id) : null;
  return image === null ? values : Float32Array.from(channelsLastIndices(image), (index) => values[index]!);
}

/** Attributes of a convolution's operator, whatever its number format. */
export function convolutionAttributes({ kind, weight, stride, padding }: FrozenLayer) {
  const [height, width, , outputs] = weight.shape as readonly [number, number, number, number];
  const group = kind === "depthwise-conv2d" ? { group: outputs } : {};
  return { kernel_shape: [height, width], strides: [stride, stride], pads: pads(padding), ...group };
}

/** A layer's weight in the order of elements that ONNX wants. */
export interface OrderedWeight {
  readonly layer: FrozenLayer;
  /** Convolution: [out, in or 1, kernel height, kernel width]; dense: [out, in]. */
  readonly shape: readonly number[];
  /** For each element, its index in the frozen tensor. */
  readonly order: Uint32Array;
}

export function orderedWeight(network: FrozenNetwork, layer: FrozenLayer): OrderedWeight {
  if (layer.kind === "dense") {
    const [inputs, outputs] = layer.weight.shape as readonly [number, number];
    const order = denseOrder([inputs, outputs], flattenedImage(network, layer.inputs[0]!));
    return { layer, shape: [outputs, inputs], order };
  }
  const [height, width, inputs, outputs] = layer.weight.shape as readonly [number, number, number, number];
  return { layer, shape: [outputs, inputs, height, width], order: convolutionOrder([height, width, inputs, outputs]) };
}

/** The learned bits of every tensor, as JSON: `{"conv1.weight":2,"conv1.quantizer":4}`. */
export function bitsOf(network: FrozenNetwork): string {
  const bits: Record<string, number> = {};
  for (const node of network.nodes) {
    if (node.kind === "quantizer") bits[node.id] = node.bits;
    else if (isFrozenLayer(node)) bits[`${node.id}.weight`] = node.weight.bits;
  }
  return JSON.stringify(bits);
}
