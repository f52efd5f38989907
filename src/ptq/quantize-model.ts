import { basename } from "node:path";
import type { Saturation } from "../config/sections/export-settings.ts";
import type { ActivationBits } from "../config/sections/quantize-settings.ts";
import { UserError } from "../core/errors.ts";
import { lookup } from "../core/lookup.ts";
import type { Watch } from "../core/progress.ts";
import type { Ops } from "../engine/ops.ts";
import { saturationNote } from "../export/onnx/saturation.ts";
import type { LayerwiseSettings } from "../methods/layerwise/create-layerwise.ts";
import { type Model, opsetOf } from "../onnx/onnx-model.ts";
import type { WeightBits } from "../quantization/weight-grid.ts";
import { meanWidth, type WeightWidths, widthBytes, widthsText } from "../quantization/weight-widths.ts";
import type { ActivationGrid } from "./activation-grid.ts";
import { findActivations, leastGrids } from "./activation-widths.ts";
import { clusterModel } from "./cluster-model.ts";
import type { Codebooks } from "./cluster-sites.ts";
import { costMeter } from "./costly-layers.ts";
import { FileGraph } from "./file-graph.ts";
import { findSites } from "./find-sites.ts";
import { foldBatchNorms } from "./fold-normalization.ts";
import { addedBiases, fuseBias } from "./fuse-biases.ts";
import { givenWidths } from "./given-widths.ts";
import { noiseMeter } from "./layer-noise.ts";
import { liftWeights } from "./lift-weights.ts";
import type { Memo } from "./memo.ts";
import type { Calibration } from "./open-weights.ts";
import { orderNodes } from "./order-nodes.ts";
import { type BudgetOptions, planModel } from "./plan-model.ts";
import { quantizedBits } from "./quantized-bits.ts";
import type { QuantizedLayer, QuantizedModel } from "./quantized-model.ts";
import { quantizedNodes } from "./quantized-nodes.ts";
import { settleConstants } from "./settle-constants.ts";
import { roundSite, type SolvedSite } from "./solve-site.ts";
import { solveSites } from "./solve-sites.ts";
import { valueSizes } from "./value-sizes.ts";
import { type Granularity, type WeightSite, weightKey } from "./weight-site.ts";
import { writeQuantized } from "./write-quantized.ts";

export interface QuantizeModelOptions {
  /** Of weights whose layers have no width of their own, where there is no budget. */
  readonly weights: WeightBits;
  /** By a layer's name; null: it has none of its own. */
  bitsOf(name: string): WeightWidths | null;
  /** What widths may come to; null: all weights get `weights`. */
  readonly budget: BudgetOptions | null;
  /** What finds the codes of layers that it can solve; null: all are rounded to nearest. It needs calibration samples. */
  readonly solver: { readonly method: LayerwiseSettings; readonly ops: Ops; readonly seed: number } | null;
  /** Weights become codes into such codebooks, and nothing else is quantized; null: they get grids. */
  readonly codebooks: { readonly settings: Codebooks; readonly seed: number } | null;
  /** 32: left in float; "budget": each has its own, within a budget of bit operations. */
  readonly activations: ActivationBits | "budget";
  /** What was found before, and where what is found goes. */
  readonly memo: Memo;
  /** Hears how far it is, and may end it. */
  readonly watch: Watch;
  /** Of weights of 8 bits in integer kernels. */
  readonly saturation: Saturation;
  readonly skips: (name: string) => boolean;
  /** Of weights, where it fits. */
  readonly granularity: Granularity;
  /** What activations are calibrated on, and which of the samples; null: there is no data. */
  readonly calibration: Calibration | null;
  /** Its name in messages. */
  readonly file: string;
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
  const { saturation, skips, calibration, file } = options;
  const opset = opsetOf(model);
  if (!(opset >= OLDEST))
    throw new UserError(`${file}: is of operator set ${opset}, expected ${OLDEST} or a newer one`);
  orderNodes(model.graph);
  const inner = liftWeights(model);
  const graph = new FileGraph(model);
  await settleConstants(graph, file);
  foldBatchNorms(graph);
  await fuseBiases(graph, options);
  const { sites, left, unquantized } = await findSites(graph, file, { skips, granularity: options.granularity, inner });
  if (sites.length === 0) {
    const reasons = left
      .slice(0, 3)
      .map(({ name, operator, reason }) => `${operator} ${JSON.stringify(name)}: ${reason}`);
    const already = quantizedNodes(model);
    throw new UserError(
      [
        `${file}: has no layer to quantize: no Conv, ConvTranspose, Gemm, MatMul or Gather with a constant weight in float`,
        ...(already > 0 ? [`it is quantized already (${already} nodes)`] : []),
        ...reasons,
      ].join("; "),
    );
  }
  if (options.codebooks !== null) return clusterModel(model, graph, { ...options, ...options.codebooks, sites, left });
  const found = await findActivations(graph, { sites, activations: options.activations, calibration, file });
  const { bitsOf, budget, solver, memo, watch } = options;
  const own = givenWidths(sites, bitsOf, file);
  const fixed = (site: WeightSite) => own.get(weightKey(site)) ?? null;
  const common = { sites, solver, calibration, file, memo, watch };
  const plan =
    budget && (await planModel(graph, budget, { ...common, activations: found, unquantized, fixed, saturation }));
  const grids = plan?.grids ?? leastGrids(found);
  const widthOf = (site: WeightSite) => plan?.bitsOf(site) ?? fixed(site) ?? options.weights;
  const solved = await solveAll(graph, { ...common, grids, widthOf });
  const costs = costMeter(graph, { solved, file });
  const noisesOf = noiseMeter(graph, { sites, file });
  const { integers, saturating, ...written } = writeQuantized(graph, { solved, grids, saturation });
  const layers = written.solved.map((one) => layerOf(one, integers));
  const notes = [...found.notes, ...saturationNote(saturating)];
  const encoded = graph.encode();
  const noises = (unseen: Calibration) => noisesOf(model, unseen);
  return {
    encoded,
    bits: quantizedBits(basename(file), {
      solved: written.solved,
      grids,
      relativeBops: plan?.plans[0]?.relativeBops ?? null,
    }),
    layers,
    left,
    grids,
    plan,
    costs,
    noises,
    notes,
  };
}

/** Where activations are quantized, biases that are added behind a layer become its own: integer kernels take them. */
async function fuseBiases(
  graph: FileGraph,
  { activations, calibration, file }: Pick<QuantizeModelOptions, "activations" | "calibration" | "file">,
): Promise<void> {
  if (activations === 32 || calibration === null) return;
  const added = addedBiases(graph);
  const products = added.flatMap(({ layer }) => (layer.opType === "MatMul" ? (layer.input[0] ?? "") : []));
  const { sizes } = await valueSizes(graph, products, { calibration, file });
  for (const one of added) {
    const [x = ""] = one.layer.input;
    if (one.layer.opType !== "MatMul" || sizes.get(x)?.length === 2) fuseBias(graph, one);
  }
}

function layerOf({ site, bits, method }: SolvedSite, integers: ReadonlySet<WeightSite>): QuantizedLayer {
  const { name, node, layout, granularity, values } = site;
  return {
    ...{ name, operator: node.opType, shape: layout.dims, bits: meanWidth(bits) },
    ...(typeof bits === "number" ? {} : { channelBits: widthsText(bits) }),
    ...{ granularity, method, bytes: Math.ceil(widthBytes(bits, values.length)) },
    integer: integers.has(site),
  };
}

/** The codes of every site; sites that share a weight share its codes. */
async function solveAll(
  graph: FileGraph,
  {
    sites,
    grids,
    widthOf,
    solver,
    calibration,
    file,
    memo,
    watch,
  }: Pick<QuantizeModelOptions, "solver" | "calibration" | "file" | "memo" | "watch"> & {
    sites: readonly WeightSite[];
    grids: ReadonlyMap<string, ActivationGrid>;
    widthOf: (site: WeightSite) => WeightWidths;
  },
): Promise<readonly SolvedSite[]> {
  if (solver === null || calibration === null) return sites.map((site) => roundSite(site, widthOf(site)));
  const solved = await solveSites(graph, { ...solver, sites, grids, bitsOf: widthOf, calibration, file, memo, watch });
  return sites.map((site) => ({ ...lookup(solved, weightKey(site)), site }));
}
