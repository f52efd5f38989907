import { at, first } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import { channelsOf, elementsOf } from "../../graph/shape.ts";
import type { Network } from "../../kinds/index.ts";
import { type Layer, layersOf } from "../../network/layers.ts";
import { outputShapes } from "../../network/output-shapes.ts";

/** Numbers that tell of a layer what does not change in a search. */
export const layerStateSize = 8;

/**
 * Of each layer what HAQ's agent (Wang et al., CVPR 2019) sees of it besides its own actions: whether it is depthwise,
 * channels in and out, stride, kernel size, weights, pixels of its input, and its index, each scaled to [0, 1] by the
 * smallest and the largest of the network. A dense layer has stride 0, and a kernel and an image of 1.
 */
export function layerStates(network: Network): readonly Float32Array[] {
  const shapes = outputShapes(network);
  const facts = layersOf(network).map((layer, index) => [
    ...factsOf(layer, lookup(shapes, layer.node.inputs[0])),
    index,
  ]);
  return scaledColumns(facts);
}

/** Each column scaled to [0, 1] by its smallest and largest value; one value alone becomes 0. */
export function scaledColumns(rows: readonly (readonly number[])[]): readonly Float32Array[] {
  const columns = first(rows).map((_, column) => {
    const values = rows.map((row) => at(row, column));
    const low = values.reduce((lowest, value) => Math.min(lowest, value));
    return { low, extent: values.reduce((highest, value) => Math.max(highest, value)) - low };
  });
  return rows.map((row) =>
    Float32Array.from(columns, ({ low, extent }, column) => (extent > 0 ? (at(row, column) - low) / extent : 0)),
  );
}

function factsOf({ kind, node, weightShape }: Layer, inputShape: readonly number[]): readonly number[] {
  const weights = elementsOf(weightShape);
  const [inputs, outputs] = [channelsOf(inputShape), channelsOf(weightShape)];
  if (node.kind === "dense" || node.kind === "embedding") return [0, inputs, outputs, 0, 1, weights, 1];
  const isDepthwise = kind === "depthwise-conv2d" ? 1 : 0;
  return [
    isDepthwise,
    inputs,
    outputs,
    first(node.strides),
    first(weightShape),
    weights,
    elementsOf(inputShape.slice(0, -1)),
  ];
}
