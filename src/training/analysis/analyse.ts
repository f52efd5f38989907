import { last } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import type { Dataset } from "../../data/dataset.ts";
import { numberBytes } from "../../data/sample-numbers.ts";
import { elementsOf } from "../../graph/shape.ts";
import { forward } from "../../network/passes.ts";
import { openProbability } from "../../quantization/hard-concrete.ts";
import type { Analysis, ChannelGates, WeightHistogram } from "../../runs/analysis.ts";
import type { Model } from "../model.ts";
import { networkInput } from "../network-input.ts";
import { passOf, soleInput, testTimeGates } from "../pass.ts";
import { analyseCodes } from "./analyse-codes.ts";
import { weightHistogram } from "./weight-histograms.ts";

/** What only the trained network can tell of itself, for the record. */
export function analyse(
  model: Model,
  dataset: Pick<Dataset, "imageShape" | "normalization" | "tokens">,
): Pick<Analysis, "weights" | "channels" | "codes"> {
  const codes = analyseCodes(model, dataset.tokens);
  return {
    ...(codes.length > 0 && { codes }),
    weights: weightHistograms(model, dataset),
    channels: channelGates(model),
  };
}

/** Every weight as its quantizer reads it, seen in a pass over one blank image. */
function weightHistograms(model: Model, dataset: Pick<Dataset, "imageShape" | "normalization">): WeightHistogram[] {
  const { ops, network, quantizers } = model;
  const histograms: WeightHistogram[] = [];
  ops.scope(
    () => {
      const bytes = elementsOf(dataset.imageShape) * numberBytes(dataset);
      const blank = networkInput(model, { count: 1, images: new Uint8Array(bytes) }, dataset.normalization);
      forward(
        network,
        passOf(model, testTimeGates(model), soleInput(network, blank), {
          training: false,
        }),
        {
          keep: false,
          observe: (node, _, [read]) => {
            if (node.kind !== "quantizer" || node.role !== "weight") return;
            const quantizer = lookup(quantizers, node.id);
            // Of a depthwise weight [height, width, channels, 1] the channels are the last axis but one.
            const channels = quantizer.prune?.length ?? last(read!.shape);
            histograms.push(weightHistogram(quantizer, Float32Array.from(ops.read(read!)), channels));
          },
        },
      );
    },
    () => [],
  );
  return histograms;
}

function channelGates({ quantizers }: Pick<Model, "quantizers">): ChannelGates[] {
  return Array.from(quantizers).flatMap(([id, { prune, kept }]) =>
    prune === null
      ? []
      : [
          {
            quantizer: id,
            probabilities: Array.from(prune, (phi) => Number(openProbability(phi).value.toPrecision(5))),
            kept: [...kept!],
          },
        ],
  );
}
