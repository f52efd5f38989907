import type { RunConfig } from "../../config/schema.ts";
import { last } from "../../core/elements.ts";
import { UsageError } from "../../core/errors.ts";
import { shortenList } from "../../core/shorten.ts";
import { elementsOf } from "../../graph/shape.ts";
import type { Network } from "../../kinds/index.ts";
import { type Layer, layersOf } from "../../network/layers.ts";
import { type CodebookShape, mostCentroids } from "../../quantization/product/codebook-size.ts";

type Settings = Extract<RunConfig["method"], { name: "product-quantization" }>;

/** The codebook that a layer is to get, and where that is not what was asked for, why. */
export interface PlannedCodebook extends CodebookShape {
  readonly notes: readonly string[];
}

/**
 * The codebook of every layer that gets one, by its name.
 *
 * @throws UsageError when a name in method.skip is no layer's, or no layer is left.
 */
export function planCodebooks(network: Network, settings: Settings): ReadonlyMap<string, PlannedCodebook> {
  const layers = layersOf(network);
  const names = layers.map(({ name }) => name);
  const unknown = settings.skip.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(
      `method.skip: expected layers of ${network.name} (${shortenList(names).join(", ")}), got ${unknown}`,
    );
  }
  const chosen = layers.filter((layer, index) => {
    if (settings.skip.includes(layer.name) || (index === 0 && !settings.firstLayer)) return false;
    return layer.kind !== "depthwise-conv2d" || settings.depthwise;
  });
  if (chosen.length === 0) {
    throw new UsageError(
      `method: no layer of ${network.name} gets a codebook: the first layer (method.firstLayer), depthwise convolutions (method.depthwise) and method.skip stay in float32`,
    );
  }
  return new Map(chosen.map((layer) => [layer.name, planCodebook(layer, settings)]));
}

function planCodebook(layer: Layer, settings: Settings): PlannedCodebook {
  const elements = elementsOf(layer.weightShape);
  const outputs = last(layer.weightShape);
  const kind = kindOf(layer);
  const asked = { blockSize: settings.blockSize[kind], centroids: settings.centroids[kind] };
  return codebookFor({ elements, outputs }, asked);
}

function kindOf({ kind, weightShape }: Layer): keyof Settings["blockSize"] {
  if (kind === "dense") return "dense";
  return weightShape[0] === 1 && weightShape[1] === 1 ? "pointwise" : "conv";
}

/**
 * The codebook of a weight of this size: a block size that divides an output's inputs, and fewer centroids than a quarter
 * of the blocks.
 */
export function codebookFor(
  { elements, outputs }: { readonly elements: number; readonly outputs: number },
  asked: CodebookShape,
): PlannedCodebook {
  const inputs = elements / outputs;
  let blockSize = Math.min(asked.blockSize, inputs);
  while (inputs % blockSize !== 0) blockSize--;
  const blocks = elements / blockSize;
  const centroids = Math.min(asked.centroids, mostCentroids(blocks));
  return {
    blockSize,
    centroids,
    notes: [
      ...(blockSize === asked.blockSize
        ? []
        : [`blocks of ${blockSize} instead of ${asked.blockSize}, which does not divide ${inputs} inputs`]),
      ...(centroids === asked.centroids
        ? []
        : [`${centroids} centroids instead of ${asked.centroids}: there are ${blocks} blocks`]),
    ],
  };
}
