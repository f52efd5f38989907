import { at } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import { withHearing } from "../../core/stepwise.ts";
import type { NodeId } from "../../graph/graph.ts";
import type { PlannedCodebook } from "../../methods/layerwise/codebook-plan.ts";
import { meanShift, type ProductStatistics } from "../../methods/layerwise/product-quantization.ts";
import type { Clustering } from "../../methods/method.ts";
import { type Layer, layersOf } from "../../network/layers.ts";
import { matrixOf } from "../../network/weight-matrix.ts";
import { roll } from "../../quantization/product/blocks.ts";
import { CodebookQuantizer } from "../../quantizers/codebook-quantizer.ts";
import { weightQuantizerId } from "../../quantizers/insert-quantizers.ts";
import type { Model } from "../model.ts";
import { parameterValues } from "../snapshot.ts";
import type { CalibrationImages } from "./calibration-images.ts";
import type { Finetuned } from "./finetune-codebook.ts";
import { collectRows } from "./layer-rows.ts";

/** What became of one layer. */
export interface ClusteredLayer extends ProductStatistics {
  readonly name: string;
  readonly planned: PlannedCodebook;
  readonly finetuned: Finetuned | null;
  /** Whether all its inputs were zero: its blocks are clustered by themselves then. */
  readonly dead: boolean;
  readonly seconds: number;
}

export interface ClusterLayersOptions {
  readonly clustering: Clustering;
  /** Null: blocks are weighed by nothing. */
  readonly images: CalibrationImages | null;
  readonly seed: number;
  /** Layers that are done. */
  readonly done: ReadonlySet<string>;
  /** Lets the codebook of a weight's quantizer learn. */
  readonly finetune: (quantizer: NodeId) => Promise<Finetuned | null>;
  /** After each layer. */
  readonly layer: (clustered: ClusteredLayer) => void;
  /** After each layer too; throws to end there. */
  readonly pause: () => Promise<void>;
  /** Hears again and again how many layers are clustered, the share of the one at hand too; throws to end there. */
  readonly hear: (layers: number, name: string) => Promise<void>;
}

/**
 * Makes the weights of a network's layers codes into codebooks, in topological order, each by what it sees behind those
 * before it. What passes see of a weight is decoded from its codebook then; the parameter keeps the float weight.
 */
export async function clusterLayers(
  model: Model,
  { clustering, images, seed, done, finetune, layer: report, pause, hear }: ClusterLayersOptions,
): Promise<void> {
  const codebooks = clustering.codebooks(model.network);
  let layers = done.size;
  for (const layer of layersOf(model.network)) {
    const planned = codebooks.get(layer.name);
    if (planned === undefined || done.has(layer.name)) continue;
    await hear(layers, layer.name);
    const started = performance.now();
    const id = weightQuantizerId(layer.name);
    const { positions = 1 } = clustering.calibration ?? {};
    const rows = images && collectRows(layer, { float: null, model }, { images, positions, inputs: "quantized", seed });
    const problem = { name: layer.name, weight: matrixOf(layer, parameterValues(model, layer.weight)), rows };
    const { product, statistics } = await withHearing(clustering.solve(problem, planned), (share) =>
      hear(layers + share, layer.name),
    );
    model.quantizers.set(id, new CodebookQuantizer(lookup(model.quantizers, id), product, { layer }));
    if (rows && clustering.biasCorrection)
      shiftOutputs(model, layer, meanShift({ ...problem, rows }, roll(product, problem.weight)));
    const finetuned = await finetune(id);
    layers++;
    const dead = rows?.inputs.every((value) => value === 0) ?? false;
    const seconds = (performance.now() - started) / 1000;
    report({ name: layer.name, planned, ...statistics, finetuned, dead, seconds });
    await pause();
  }
}

/** Takes off what a layer gives more on average: in the running mean behind it, or in its bias. */
function shiftOutputs(model: Model, { shift }: Layer, more: Float32Array): void {
  if (shift === null) return;
  if (shift.kind === "bias") {
    const bias = parameterValues(model, shift.inputs[1]);
    model.ops.assign(
      lookup(model.parameters, shift.inputs[1]),
      bias.map((value, output) => value - at(more, output)),
    );
    return;
  }
  const { mean } = lookup(model.statistics, shift.id);
  mean.set(mean.map((value, output) => value + at(more, output)));
}
