import { at, first, last } from "../../core/elements.ts";
import { tuple } from "../../core/tuple.ts";
import { channelsOf, elementsOf } from "../../graph/shape.ts";
import { leadingTo } from "../../graph/walk.ts";
import type { ConvTransposeNode } from "../../kinds/conv-transpose.ts";
import type { Network } from "../../kinds/index.ts";
import { noPadding } from "../../kinds/windows.ts";
import type { CalibrationRows } from "../../methods/layerwise/layer-problem.ts";
import {
  denseGeometry,
  type FeatureMap,
  type LayerGeometry,
  RowCollector,
} from "../../methods/layerwise/row-collector.ts";
import type { CalibrationInputs } from "../../methods/method.ts";
import { type Layer, layersOf } from "../../network/layers.ts";
import { forward } from "../../network/passes.ts";
import type { Model } from "../model.ts";
import { type GateSamples, passOf, soleInput, testTimeGates, transparentGates } from "../pass.ts";
import type { CalibrationImages } from "./calibration-images.ts";

export interface RowOptions {
  readonly images: CalibrationImages;
  readonly positions: number;
  readonly inputs: CalibrationInputs;
  readonly seed: number;
}

/**
 * What a layer sees and should give at sampled places of the calibration images. Both networks run batch by batch, only
 * as far as this layer needs: no more than the rows and one batch are in memory.
 *
 * @param float The float32 network: where targets come from; null: none are wanted.
 * @param model The same with quantizers, the layers before this one quantized.
 */
export function collectRows(
  layer: Layer,
  { float, model }: { readonly float: Model | null; readonly model: Model },
  { images, positions, inputs, seed }: RowOptions,
): CalibrationRows {
  const { ops } = model;
  const collector = new RowCollector(geometryOf(layer), {
    ...{ samples: images.count, positions, seed, layer: layer.name, targets: float !== null },
  });
  const targetOf = float && leadingTo(float.network, layer.shift!.id);
  const source = inputs === "float" && float !== null ? float : model;
  const node = layersOf(source.network).find(({ name }) => name === layer.name)!.node.inputs[0];
  const sourceOf = leadingTo(source.network, node);
  const samples = samplesOf(source, inputs);
  for (const upload of images.batches(source)) {
    const [x, y] = ops.scope(
      () => {
        // A pass frees the images that it is given.
        const x = featuresOf(
          source,
          sourceOf,
          passOf(source, samples, soleInput(source.network, upload()), { training: false }),
        );
        return [
          x,
          float &&
            featuresOf(
              float,
              targetOf ?? float.network,
              passOf(float, new Map(), soleInput(float.network, upload()), { training: false }),
            ),
        ] as const;
      },
      () => [],
    );
    collector.add(spread(layer, x), y);
  }
  return collector.rows();
}

/** Activations in float32, or on their grids. */
const samplesOf = (model: Model, inputs: CalibrationInputs): GateSamples =>
  inputs === "quantized" ? testTimeGates(model) : transparentGates(model);

function featuresOf({ ops }: Model, network: Network, pass: ReturnType<typeof passOf>): FeatureMap {
  const output = first(forward(network, pass, { keep: false }).outputs);
  const [batch, shape] = [first(output.shape), output.shape.slice(1)];
  // What is no image is a row of places with their channels.
  const [height, width, channels] =
    shape.length === 3 ? tuple(shape, 3) : [1, elementsOf(shape.slice(0, -1)), channelsOf(shape)];
  return { values: Float32Array.from(ops.read(output)), shape: [batch, height, width, channels] };
}

/**
 * A transposed convolution as the convolution that it is over the image with zeros between its pixels, whose taps come in the
 * other order (`matrixOf`).
 */
function spreadGeometry(
  { padding }: ConvTransposeNode,
  { weightShape, outputShape }: Pick<Layer, "weightShape" | "outputShape">,
): LayerGeometry {
  const [height, width, inputs, outputs] = tuple(weightShape, 4);
  return {
    kernel: [height, width],
    groups: 1,
    channels: [inputs, outputs],
    output: [first(outputShape), at(outputShape, 1)],
    ...{ strides: [1, 1], dilations: [1, 1] },
    // Its end is where the output ends.
    padding: { ...noPadding, top: height - 1 - padding.top, left: width - 1 - padding.left },
  };
}

/** What a layer reads, as `geometryOf` sees it. */
function spread({ node }: Layer, x: FeatureMap): FeatureMap {
  if (node.kind !== "conv-transpose") return x;
  const { values, shape } = x;
  const [batch, height, width, channels] = shape;
  const [down, across] = node.strides;
  const [rows, columns] = [(height - 1) * down + 1, (width - 1) * across + 1];
  const wide = new Float32Array(batch * rows * columns * channels);
  for (let pixel = 0; pixel < batch * height * width; pixel++) {
    const [column, row] = [pixel % width, Math.floor(pixel / width)];
    const place = (Math.floor(row / height) * rows + (row % height) * down) * columns + column * across;
    wide.set(values.subarray(pixel * channels, (pixel + 1) * channels), place * channels);
  }
  return { values: wide, shape: [batch, rows, columns, channels] };
}

/** A layer as its rows are gathered from it. */
export function geometryOf({ node, weightShape, outputShape }: Layer): LayerGeometry {
  const outputs = last(weightShape);
  if (node.kind === "dense") return denseGeometry(first(weightShape), outputs, elementsOf(outputShape) / outputs);
  if (node.kind === "embedding") throw new Error(`${node.id}: an embedding has no rows of inputs`);
  if (node.kind === "conv-transpose") return spreadGeometry(node, { weightShape, outputShape });
  const groups = node.kind === "depthwise-conv2d" ? outputs : node.groups;
  return {
    kernel: [first(weightShape), at(weightShape, 1)],
    groups,
    channels: [at(weightShape, 2) * groups, outputs],
    output: [first(outputShape), at(outputShape, 1)],
    strides: node.strides,
    dilations: node.dilations,
    padding: node.padding,
  };
}
