import type { Saturation } from "../config/sections/export-settings.ts";
import { UserError } from "../core/errors.ts";
import { saturationNote } from "../export/onnx/saturation.ts";
import { type Model, opsetOf } from "../onnx/onnx-model.ts";
import type { WeightBits } from "../quantization/weight-grid.ts";
import type { ActivationGrid } from "./activation-grid.ts";
import { calibrate } from "./calibrate-activations.ts";
import { FileGraph } from "./file-graph.ts";
import { findSites, type LeftNode } from "./find-sites.ts";
import { foldBatchNorms } from "./fold-normalization.ts";
import { raiseForIntegers } from "./operator-set.ts";
import { valuesToQuantize } from "./quantized-values.ts";
import type { Samples } from "./samples.ts";
import { roundSite } from "./solve-site.ts";
import type { WeightSite } from "./weight-site.ts";
import { hasIntegerKernel, writeQuantized } from "./write-quantized.ts";

export interface QuantizeModelOptions {
  readonly weights: WeightBits;
  /** 32: left in float. */
  readonly activations: 8 | 16 | 32;
  /** Of weights of 8 bits in integer kernels. */
  readonly saturation: Saturation;
  readonly skips: (name: string) => boolean;
  /** What activations are calibrated on, and which of the samples; null: there is no data. */
  readonly calibration: { readonly samples: Samples; readonly order: Uint32Array } | null;
  /** Its name in messages. */
  readonly file: string;
}

/** What became of a weight. */
export interface QuantizedLayer {
  readonly name: string;
  readonly operator: string;
  readonly shape: readonly number[];
  readonly bits: WeightBits;
  /** Whether it computes in integers of 8 bits. */
  readonly integer: boolean;
}

export interface QuantizedModel {
  readonly bytes: Uint8Array;
  readonly layers: readonly QuantizedLayer[];
  readonly left: readonly LeftNode[];
  readonly grids: ReadonlyMap<string, ActivationGrid>;
  /** What the user should know of it. */
  readonly notes: readonly string[];
}

/** The oldest operator set whose files are taken. */
const OLDEST = 7;

/**
 * Quantizes the weights, and with data the activations, of any model; what is not understood stays as it is. Changes
 * `model`.
 *
 * @throws UserError when the model has nothing to quantize, or the runtime cannot load or run it.
 */
export async function quantizeModel(model: Model, options: QuantizeModelOptions): Promise<QuantizedModel> {
  const { weights, activations, saturation, skips, calibration, file } = options;
  const opset = opsetOf(model);
  if (!(opset >= OLDEST))
    throw new UserError(`${file}: is of operator set ${opset}, expected ${OLDEST} or a newer one`);
  const graph = new FileGraph(model);
  foldBatchNorms(graph);
  const { sites, left } = await findSites(graph, file, skips);
  if (sites.length === 0) {
    const reasons = left.slice(0, 3).map(({ name, operator, reason }) => `${operator} "${name}": ${reason}`);
    throw new UserError(
      `${file}: has no layer to quantize: no Conv, ConvTranspose, Gemm, MatMul or Gather with a constant weight${reasons.length > 0 ? `; ${reasons.join("; ")}` : ""}`,
    );
  }
  const hindrance = calibration === null || activations === 32 ? null : raiseForIntegers(model);
  const grids =
    calibration === null || activations === 32 || hindrance !== null
      ? new Map<string, ActivationGrid>()
      : await gridsOf(graph, { sites, bits: activations, calibration, file });
  const solved = sites.map((site) => roundSite(site, weights));
  const { integers, saturating } = writeQuantized(graph, { solved, grids, saturation });
  const layers = sites.map((site): QuantizedLayer => {
    const { name, node, layout } = site;
    return { name, operator: node.opType, shape: layout.dims, bits: weights, integer: integers.has(site) };
  });
  const notes = [
    ...(hindrance === null ? [] : [`activations stay in float: ${hindrance}`]),
    ...saturationNote(saturating),
  ];
  return { bytes: graph.encode(), layers, left, grids, notes };
}

async function gridsOf(
  graph: FileGraph,
  {
    sites,
    bits,
    calibration: { samples, order },
    file,
  }: {
    sites: readonly WeightSite[];
    bits: 8 | 16;
    calibration: NonNullable<QuantizeModelOptions["calibration"]>;
    file: string;
  },
): Promise<ReadonlyMap<string, ActivationGrid>> {
  const values = valuesToQuantize(graph, sites.filter(hasIntegerKernel)).filter(
    (name) => graph.initializer(name) === null,
  );
  const folded = graph.preview();
  const statistics = await calibrate(folded, { values, samples, order, file });
  return new Map(
    [...statistics]
      .filter(([, one]) => one.finite && one.high >= one.low)
      .map(([name, one]) => [name, one.bestGrid(bits)]),
  );
}
