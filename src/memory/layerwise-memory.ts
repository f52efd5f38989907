import { elementsOf } from "../graph/shape.ts";
import { type Network, onlyInput } from "../kinds/index.ts";
import type { Clustering, Layerwise } from "../methods/method.ts";
import { type Layer, layersOf } from "../network/layers.ts";
import { CALIBRATION_BATCH } from "../training/layerwise/calibration-images.ts";
import { geometryOf } from "../training/layerwise/layer-rows.ts";
import { clusteringBytes, type ProblemSize, rowBytes, solverBytes } from "./solver-memory.ts";
import { evaluationMemory } from "./training-memory.ts";

const FLOAT = 4;
/** A layer's inputs and outputs of a batch, as the engine gives them and as copies. */
const FEATURE_COPIES = 2;

/** Bytes that quantizing layer by layer takes beyond what a run has before it. */
export interface LayerwiseEstimate {
  /** The layer that takes the most. */
  readonly layer: string;
  readonly quantizing: number;
  readonly saving: number;
}

/**
 * Estimates what a network needs that is quantized layer by layer: its calibration images, the float32 network beside
 * it, and the rows of one layer, while they are collected from a batch's activations or while the layer is solved.
 *
 * @param images Calibration images.
 */
export function estimateLayerwise(
  network: Network,
  { calibration, needs }: Pick<Layerwise, "calibration" | "needs">,
  images: number,
): LayerwiseEstimate {
  const parameters = parametersOf(network);
  const largest = largestOf(network, layersOf(network), { images, positions: calibration.positions }, (size) =>
    solverBytes(size, needs),
  );
  // Both networks, as arrays and as the file.
  return {
    layer: largest.name,
    quantizing: heldBytes(network, images) + largest.bytes,
    saving: FLOAT * 2 * 2 * parameters,
  };
}

/**
 * Estimates what clustering a network's layers takes at most, and in which of them. The float32 network is the
 * training's own, and saved with it.
 *
 * @param images Calibration images.
 */
export function estimateClustering(
  network: Network,
  { calibration, codebooks }: { readonly calibration: { readonly positions: number } } & Pick<Clustering, "codebooks">,
  images: number,
): { readonly layer: string; readonly bytes: number } {
  const clustered = codebooks(network);
  const layers = layersOf(network).filter(({ name }) => clustered.has(name));
  const largest = largestOf(network, layers, { images, positions: calibration.positions }, clusteringBytes);
  return { layer: largest.name, bytes: heldBytes(network, images) + largest.bytes };
}

/** The layer that takes the most bytes, while its rows are collected or while it is solved. */
function largestOf(
  network: Network,
  layers: readonly Layer[],
  seen: { readonly images: number; readonly positions: number },
  solving: (size: ProblemSize) => number,
): { readonly name: string; readonly bytes: number } {
  const batch = Math.min(CALIBRATION_BATCH, seen.images);
  const pass = evaluationMemory(network, batch);
  return layers
    .map((layer) => {
      const size = sizeOf(layer, seen);
      const features = FLOAT * batch * FEATURE_COPIES * (featuresOf(layer) + elementsOf(layer.outputShape));
      return { name: layer.name, bytes: Math.max(rowBytes(size) + pass + features, solving(size)) };
    })
    .reduce((most, layer) => (layer.bytes > most.bytes ? layer : most));
}

/** Calibration images, as bytes, and the float32 network. */
const heldBytes = (network: Network, images: number): number =>
  images * elementsOf(onlyInput(network).shape) + FLOAT * parametersOf(network);

const parametersOf = ({ nodes }: Network): number =>
  nodes.reduce((sum, node) => sum + (node.kind === "parameter" ? elementsOf(node.shape) : 0), 0);

function sizeOf(layer: Layer, { images, positions }: { images: number; positions: number }): ProblemSize {
  const { kernel, groups, channels, output } = geometryOf(layer);
  return {
    groups,
    samples: images,
    positions: Math.min(positions, output[0] * output[1]),
    inputs: (channels[0] / groups) * kernel[0] * kernel[1],
    outputs: channels[1],
  };
}

/** Elements of what a layer reads, of one image: as many as it gives, times the stride, as far as padding goes. */
function featuresOf(layer: Layer): number {
  const { channels, output, strides } = geometryOf(layer);
  return channels[0] * output[0] * output[1] * strides[0] * strides[1];
}
