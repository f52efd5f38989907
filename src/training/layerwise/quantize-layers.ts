import { lookup } from "../../core/lookup.ts";
import { mean } from "../../core/mean.ts";
import { readersOf } from "../../graph/walk.ts";
import type { Network } from "../../kinds/index.ts";
import {
  type CalibrationRows,
  distinctRows,
  type LayerProblem,
  type LayerStatistics,
} from "../../methods/layerwise/layer-problem.ts";
import { solveParts } from "../../methods/layerwise/solve-parts.ts";
import type { GivenWidths, Layerwise } from "../../methods/method.ts";
import { type Layer, layersOf } from "../../network/layers.ts";
import { matrixOf, weightOf } from "../../network/weight-matrix.ts";
import type { GridBits } from "../../quantization/levels.ts";
import { decode } from "../../quantization/weight-grid.ts";
import { UNLIMITED } from "../../quantizers/gate-sample.ts";
import { GridQuantizer } from "../../quantizers/grid-quantizer.ts";
import { setBits } from "../../quantizers/level-gates.ts";
import type { Model } from "../model.ts";
import { parameterValues } from "../snapshot.ts";
import type { CalibrationImages } from "./calibration-images.ts";
import { correctedBias } from "./correct-bias.ts";
import { collectRows } from "./layer-rows.ts";

/** What became of one layer. */
export interface QuantizedLayer extends LayerStatistics {
  readonly name: string;
  /** Of the widest channel. */
  readonly bits: GridBits;
  /** Of all channels, where they have widths of their own. */
  readonly meanBits?: number;
  /** What it saw: nothing but zeros, one and the same input every time, or inputs that differ. */
  readonly seen: "zeros" | "one-input" | "inputs";
  readonly seconds: number;
}

export interface QuantizeLayersOptions {
  readonly layerwise: Layerwise;
  readonly bits: GivenWidths;
  readonly images: CalibrationImages;
  readonly seed: number;
  /** Layers that are done. */
  readonly done: ReadonlySet<string>;
  /** After each layer. */
  readonly layer: (quantized: QuantizedLayer) => void;
  /** After each layer too; throws to end there. */
  readonly pause: () => Promise<void>;
  /** Hears again and again how many layers are quantized, the share of the one at hand too; throws to end there. */
  readonly hear: (layers: number, name: string) => Promise<void>;
}

/**
 * Quantizes the layers of a network in topological order, each to give the float32 network's outputs on what it sees
 * behind the layers before it. A weight then holds steps·codes, what is evaluated and exported; its quantizer has the
 * grid. Weights of 32 bits stay as they are.
 */
export async function quantizeLayers(
  models: { readonly float: Model; readonly model: Model },
  { layerwise, bits, images, seed, done, layer: report, pause, hear }: QuantizeLayersOptions,
): Promise<void> {
  const { float, model } = models;
  const { ops } = model;
  for (const [index, layer] of layersOf(float.network).entries()) {
    if (done.has(layer.name)) continue;
    await hear(index, layer.name);
    const started = performance.now();
    const quantizer = quantizerOf(model, layer.name);
    const width = lookup(bits, quantizer.node.id);
    if (width === 32) continue;
    const problem: Omit<LayerProblem, "bits"> = {
      name: layer.name,
      weight: matrixOf(layer, parameterValues(float, layer.weight)),
      bias: parameterValues(float, layer.shift!.inputs[1]),
      ...activationBehind(float.network, layer),
      rows: collectRows(layer, models, { ...layerwise.calibration, images, seed }),
    };
    const { codes, steps, statistics } = await solveParts<Exclude<GridBits, 32>>(problem, width, {
      ...{ solver: layerwise.solver, ops },
      hear: (share) => hear(index + share, layer.name),
    });
    const weights = decode(codes, steps, problem.weight.inputs);
    ops.assign(lookup(model.parameters, layer.weight), weightOf(layer, weights));
    const shared = typeof width === "number" && steps.every((step) => step === steps[0]);
    const grid = { bits: width, steps: shared ? steps.slice(0, 1) : steps };
    const gridded = new GridQuantizer(quantizer, grid);
    model.quantizers.set(quantizer.node.id, gridded);
    if (layerwise.biasCorrection) {
      const corrected = correctedBias(weights, problem.bias!, problem.rows);
      ops.assign(lookup(model.parameters, layer.shift!.inputs[1]), corrected);
    }
    const seconds = (performance.now() - started) / 1000;
    const widths = typeof width === "number" ? { bits: width } : { bits: gridded.bits, meanBits: mean(width) };
    report({ name: layer.name, ...widths, ...statistics, seen: seenBy(problem.rows), seconds });
    await pause();
  }
}

function seenBy(rows: CalibrationRows): QuantizedLayer["seen"] {
  if (rows.inputs.every((value) => value === 0)) return "zeros";
  return distinctRows(rows, 2) < 2 && rows.samples * rows.positions > 1 ? "one-input" : "inputs";
}

/** Gives activations their bits; weights get theirs in turn. */
export function setActivationBits({ quantizers }: Model, bits: GivenWidths): void {
  for (const [id, quantizer] of quantizers) {
    const width = lookup(bits, id);
    // Only weights have grids of 3 bits, and widths for each channel.
    if (quantizer.node.role === "activation" && typeof width === "number" && width !== 3) setBits(quantizer, width);
    if (width === 32) quantizer.range[0] = quantizer.node.limit ?? UNLIMITED;
  }
}

const quantizerOf = ({ network, quantizers }: Model, name: string) =>
  lookup(quantizers, layersOf(network).find((layer) => layer.name === name)!.weightQuantizer!);

/** The ReLU that alone reads a layer, if it is one. */
function activationBehind(network: Network, { shift }: Layer): Pick<LayerProblem, "rectified" | "limit"> {
  const readers = readersOf(network).get(shift!.id) ?? [];
  const [reader] = readers;
  const alone = readers.length === 1 && !network.outputs.includes(shift!.id);
  return alone && reader?.kind === "relu"
    ? { rectified: true, limit: reader.limit }
    : { rectified: false, limit: null };
}
