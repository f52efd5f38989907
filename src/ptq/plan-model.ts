import type { Saturation } from "../config/sections/export-settings.ts";
import { lookup } from "../core/lookup.ts";
import { elementTypes } from "../onnx/element-types.ts";
import { encodeModelProto, withGraph } from "../onnx/onnx-model.ts";
import type { WeightBits } from "../quantization/weight-grid.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { copyGraph } from "./copy-graph.ts";
import { FileGraph } from "./file-graph.ts";
import { budgetWidths, type HarmTable, type MeasureOptions, measureHarms } from "./harm-table.ts";
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

/**
 * Chooses the width of every weight of a file.
 *
 * @throws UsageError where the budget is too small.
 */
export async function planModel(
  graph: FileGraph,
  { limit, table: known }: BudgetOptions,
  options: Omit<MeasureOptions, "storedBytes"> & { readonly saturation: Saturation },
): Promise<ModelPlan> {
  if (known !== null) return chosen(known, await planWidths(known, limit, null));
  const storedBytes = storedBytesIn(graph);
  const measured = await measureHarms(graph, { ...options, storedBytes });
  await using measuring = measured.measuring;
  const { weights, samples } = measured;
  const rest = fileBytes(graph, options) - leastStored(weights);
  const table: HarmTable = { measured: measuring === null ? "weights" : "outputs", samples, weights, rest };
  return chosen(table, await planWidths(table, limit, measuring));
}

function chosen(table: HarmTable, plans: readonly WidthPlan[]): ModelPlan {
  const [best] = plans;
  const widths = new Map(table.weights.map(({ key }, item) => [key, best?.bits[item] ?? 8]));
  return { table, plans, bitsOf: (site) => lookup(widths, weightKey(site)) };
}

/** What a weight takes in the file, with the nodes that unpack it. */
function storedBytesIn(graph: FileGraph): (solved: SolvedSite) => number {
  const empty = () => withGraph(graph.model, { node: [], initializer: [], input: [], output: [] });
  const base = encodeModelProto(empty()).length;
  return ({ site, codes, steps, bits }) => {
    const scratch = new FileGraph(empty());
    addFloatWeight(scratch, { name: site.weight, layout: site.layout, codes, steps, bits }, elementTypes.float);
    return encodeModelProto(scratch.preview()).length - base;
  };
}

/** Bytes of the whole file with each weight at its least. Integer kernels need less for 8 bits than `storedBytesIn` says. */
function fileBytes(
  graph: FileGraph,
  {
    sites,
    grids,
    fixed,
    saturation,
  }: Pick<MeasureOptions, "sites" | "grids" | "fixed"> & { readonly saturation: Saturation },
): number {
  const copy = copyGraph(graph);
  const rounded = new Map(
    distinctWeights(sites).map((site) => [weightKey(site), roundSite(site, fixed(site) ?? budgetWidths[0])]),
  );
  const solved = sites.map((site) => ({
    ...lookup(rounded, weightKey(site)),
    site: { ...site, node: copy.copyOf(site.node) },
  }));
  writeQuantized(copy.graph, { solved, grids, saturation });
  return copy.graph.encode().length;
}

const leastStored = (weights: HarmTable["weights"]): number =>
  weights.reduce((sum, { choices }) => sum + (choices[0]?.stored ?? 0), 0);
