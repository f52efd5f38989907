import { uniforms } from "../../src/core/random.ts";
import type { Ops } from "../../src/engine/ops.ts";
import type { FreezeInput } from "../../src/export/freeze.ts";
import type { Timed } from "../../src/export/latency.ts";
import type { NodeId } from "../../src/graph/graph.ts";
import { elementsOf } from "../../src/graph/shape.ts";
import type { Network } from "../../src/kinds/index.ts";
import type { Quantizer } from "../../src/quantizers/abstract-quantizer.ts";
import { initializeRanges } from "../../src/training/initial-ranges.ts";
import { createModel } from "../../src/training/model.ts";
import { testTimeGates } from "../../src/training/pass.ts";

/** A network as a run leaves it, with first weights and ranges of random images: how fast a file is does not depend on them. */
export function sampleLearned(
  network: Network,
  { ops, quantizers, inputShape }: { ops: Ops; quantizers: Map<NodeId, Quantizer>; inputShape: readonly number[] },
): FreezeInput {
  const model = createModel(network, { ops, seed: 1, quantizers });
  const shape = [2, ...inputShape];
  const random = Float32Array.from(uniforms({ seed: 1, stream: "images", counter: 0 }, elementsOf(shape)));
  initializeRanges(
    model,
    () => ops.tensor(random, shape),
    () => testTimeGates(model),
  );
  const channels = inputShape.at(-1);
  return {
    network,
    quantizers,
    parameters: new Map(
      Array.from(model.parameters, ([id, variable]) => [id, Float32Array.from(ops.read(ops.value(variable)))] as const),
    ),
    statistics: model.statistics,
    classes: Array.from({ length: 10 }, (_, index) => `${index}`),
    // As of real images: coloured ones have a scale for each channel.
    normalization: { mean: [0, 0.1, 0.2].slice(0, channels), deviation: [1, 1.1, 1.2].slice(0, channels) },
  };
}

/** Pixels for files that take uint8 images. */
export const sampleImages =
  ([height, width, channels]: readonly [number, number, number]): Timed["images"] =>
  (count) => ({
    values: new Uint8Array(count * height * width * channels).map((_, index) => (index * 37) % 256),
    shape: [count, channels, height, width],
  });
