import type { Saturation } from "../config/sections/export-settings.ts";
import type { ByteBudget } from "../config/sections/quantize-settings.ts";
import { lookup } from "../core/lookup.ts";
import { elementTypes } from "../onnx/element-types.ts";
import { encodedLength, encodeModel } from "../onnx/encode-model.ts";
import { withGraph } from "../onnx/onnx-model.ts";
import type { WeightBits } from "../quantization/weight-grid.ts";
import { copyGraph } from "./copy-graph.ts";
import { FileGraph } from "./file-graph.ts";
import { budgetWidths, type HarmTable } from "./harm-table.ts";
import { type MeasureOptions, type Measuring, measureHarms } from "./measure-harms.ts";
import { OutputError } from "./output-error.ts";
import { planWidths, type WidthPlan } from "./plan-widths.ts";
import { roundSite, type SolvedSite } from "./solve-site.ts";
import { addFloatWeight } from "./store-weight.ts";
import { distinctWeights, type WeightSite, weightKey } from "./weight-site.ts";
import { writeQuantized } from "./write-quantized.ts";

export interface BudgetOptions {
  readonly limit: ByteBudget;
  /** What was measured of the file before; null: it is to be measured. */
  readonly table: HarmTable | null;
}

/** How a budget was met. */
export interface ModelPlan {
  readonly table: HarmTable;
  /** The chosen one first. */
  readonly plans: readonly WidthPlan[];
  bitsOf(site: WeightSite): WeightBits;
}

/** Samples that harms are measured on. */
const SAMPLES = 64;

type PlanOptions = Omit<MeasureOptions, "storedBytes" | "error"> & { readonly saturation: Saturation };

/**
 * Chooses the width of every weight of a file.
 *
 * @throws UsageError where the budget is too small.
 */
export async function planModel(
  graph: FileGraph,
  { limit, table: known }: BudgetOptions,
  options: PlanOptions,
): Promise<ModelPlan> {
  if (known !== null) return withinLimit(graph, { table: known, limit, measuring: null }, options);
  const { sites, calibration, file } = options;
  const few = calibration && { samples: calibration.samples, order: calibration.order.subarray(0, SAMPLES) };
  await using error = few && (await OutputError.open(graph, { sites, calibration: few, file }));
  const { weights, candidates } = await measureHarms(graph, { ...options, error, storedBytes: storedBytesIn(graph) });
  const least = (site: WeightSite) => options.fixed(site) ?? budgetWidths[0];
  const rest = fileBytes(graph, options, least) - leastStored(weights);
  const measured = error === null ? "weights" : "outputs";
  const table: HarmTable = { measured, samples: error?.samples ?? 0, weights, rest };
  // Awaited: what measures is closed behind this.
  return await withinLimit(
    graph,
    { table, limit, measuring: error && { error, candidates, memo: options.memo } },
    options,
  );
}

/** The best plan whose file, as it is written, has no more bytes than it may have: a table's sizes are estimates. */
async function withinLimit(
  graph: FileGraph,
  {
    table,
    limit,
    measuring,
  }: { readonly table: HarmTable; readonly limit: ByteBudget; readonly measuring: Measuring | null },
  options: PlanOptions,
): Promise<ModelPlan> {
  for (let excess = 0; ; ) {
    const plans = await planWidths({ ...table, rest: table.rest + excess }, limit, measuring);
    const plan = chosen(table, plans);
    const over = "bytes" in limit ? fileBytes(graph, options, plan.bitsOf) - limit.bytes : 0;
    if (over <= 0) return plan;
    excess += over;
  }
}

function chosen(table: HarmTable, plans: readonly WidthPlan[]): ModelPlan {
  const [best] = plans;
  const widths = new Map(table.weights.map(({ key }, item) => [key, best?.bits[item] ?? 8]));
  return { table, plans, bitsOf: (site) => lookup(widths, weightKey(site)) };
}

/** What a weight takes in the file, with the nodes that unpack it. */
function storedBytesIn(graph: FileGraph): (solved: SolvedSite) => number {
  const empty = () => withGraph(graph.model, { node: [], initializer: [], input: [], output: [] });
  const base = encodedLength(encodeModel(empty()));
  return ({ site, codes, steps, bits }) => {
    const scratch = new FileGraph(empty());
    addFloatWeight(scratch, { name: site.weight, layout: site.layout, codes, steps, bits }, elementTypes.float);
    return encodedLength(encodeModel(scratch.preview())) - base;
  };
}

/** Bytes of the whole file, each weight rounded to so many bits. */
function fileBytes(
  graph: FileGraph,
  { sites, grids, saturation }: Pick<PlanOptions, "sites" | "grids" | "saturation">,
  bitsOf: (site: WeightSite) => WeightBits,
): number {
  const copy = copyGraph(graph);
  const rounded = new Map(distinctWeights(sites).map((site) => [weightKey(site), roundSite(site, bitsOf(site))]));
  const solved = sites.map((site) => ({
    ...lookup(rounded, weightKey(site)),
    site: { ...site, node: copy.copyOf(site.node) },
  }));
  writeQuantized(copy.graph, { solved, grids, saturation });
  return encodedLength(copy.graph.encode());
}

const leastStored = (weights: HarmTable["weights"]): number =>
  weights.reduce((sum, { choices }) => sum + (choices[0]?.stored ?? 0), 0);
