import type { Saturation } from "../config/sections/export-settings.ts";
import type { WidthBudget } from "../config/sections/quantize-settings.ts";
import { at } from "../core/elements.ts";
import { UsageError } from "../core/errors.ts";
import { lookup } from "../core/lookup.ts";
import { elementTypes } from "../onnx/element-types.ts";
import { encodeModel, writtenLength } from "../onnx/encode-model.ts";
import { withGraph } from "../onnx/onnx-model.ts";
import { choiceOf } from "../quantization/product-knapsack.ts";
import { meanWidth, type WeightWidths, widthBytes } from "../quantization/weight-widths.ts";
import type { ActivationGrid } from "./activation-grid.ts";
import { type ActivationWidths, leastGrids } from "./activation-widths.ts";
import { budgetText } from "./budget-text.ts";
import { copyGraph } from "./copy-graph.ts";
import { FileGraph } from "./file-graph.ts";
import { budgetWidths, type HarmTable, widthsOfChoice } from "./harm-table.ts";
import { measureActivations } from "./measure-activations.ts";
import { type MeasureOptions, type Measuring, measureHarms } from "./measure-harms.ts";
import { OutputError } from "./output-error.ts";
import { planWidths, refuseTooSmall, type WidthPlan } from "./plan-widths.ts";
import type { RowWidths } from "./row-errors.ts";
import { productsOf } from "./site-macs.ts";
import { roundSite, type SolvedSite } from "./solve-site.ts";
import { addFloatWeight } from "./store-weight.ts";
import { distinctWeights, type WeightedNode, type WeightSite, weightKey } from "./weight-site.ts";
import { writeQuantized } from "./write-quantized.ts";

export interface BudgetOptions {
  readonly limit: WidthBudget;
  /** What was measured of the file before; null: it is to be measured. */
  readonly table: HarmTable | null;
  /** Which output channels have widths of their own; left out: weights have one each. */
  readonly rows?: RowWidths | undefined;
}

/** How a budget was met. */
export interface ModelPlan {
  readonly table: HarmTable;
  /** The chosen one first. */
  readonly plans: readonly WidthPlan[];
  bitsOf(site: WeightSite): WeightWidths;
  /** What stands on a grid. */
  readonly grids: ReadonlyMap<string, ActivationGrid>;
}

/** Samples that harms are measured on. */
const SAMPLES = 64;

interface PlanOptions extends Omit<MeasureOptions, "storedBytes" | "error" | "rows"> {
  readonly activations: ActivationWidths;
  readonly unquantized: readonly WeightedNode[];
  readonly saturation: Saturation;
}

/**
 * Chooses the width of every weight of a file, and of every activation where the budget is one of bit operations.
 *
 * @throws UsageError where the budget is too small, or is one of bit operations and there is no data.
 */
export async function planModel(
  graph: FileGraph,
  { limit, table: known, rows }: BudgetOptions,
  options: PlanOptions,
): Promise<ModelPlan> {
  if (known !== null) return withinLimit(graph, { table: known, limit, measuring: null }, options);
  const { sites, calibration, file, activations, memo } = options;
  const isOfBops = "relativeBops" in limit;
  const products = isOfBops ? await multiplied(graph, limit, options) : [];
  const cheapest = cheapestTable(graph, { ...options, products });
  refuseTooSmall(cheapest, limit);
  const few = calibration && { samples: calibration.samples, order: calibration.order.subarray(0, SAMPLES) };
  await using error = few && (await OutputError.open(graph, { sites, calibration: few, file }));
  const { weights, candidates } = await measureHarms(graph, {
    ...{ ...options, error, rows },
    storedBytes: storedBytesIn(graph),
  });
  const { watch } = options;
  const table: HarmTable = {
    measured: error === null ? "weights" : "outputs",
    samples: error?.samples ?? 0,
    weights,
    rest: cheapest.rest - leastStored(weights),
    activations: isOfBops && error ? await measureActivations(activations, { error, memo, watch }) : [],
    products,
  };
  // A budget of bytes chooses no activations: plans are measured with weights alone.
  const gridsAt = isOfBops ? activations.gridsAt : () => new Map();
  // Awaited: what measures is closed behind this.
  return await withinLimit(graph, { table, limit, measuring: error && { error, candidates, gridsAt, memo } }, options);
}

/** What a budget of bit operations counts. */
async function multiplied(
  graph: FileGraph,
  limit: WidthBudget,
  { activations, sites, unquantized, calibration, file }: PlanOptions,
): Promise<HarmTable["products"]> {
  if (calibration === null) throw new UsageError(`--budget ${budgetText(limit)}: it needs data`);
  const products = await productsOf(graph, { sites, unquantized, activations: activations.values, calibration, file });
  if (!products.some(({ macs }) => macs > 0)) {
    throw new UsageError(
      `--budget ${budgetText(limit)}: ${file} multiplies nothing by its weights; give bytes or bits`,
    );
  }
  return products;
}

/** A table with the fewest bits of each width alone: whether a budget can be met at all is known before anything is measured. */
function cheapestTable(
  graph: FileGraph,
  { products, fixed, ...options }: PlanOptions & Pick<HarmTable, "products">,
): HarmTable {
  const { sites, activations } = options;
  const least = (site: WeightSite) => fixed(site) ?? budgetWidths[0];
  const weights = distinctWeights(sites).map((site) => {
    const { length: numbers } = site.values;
    const bits = least(site);
    // What the file holds for it stands in `rest`.
    const choice = { bits: meanWidth(bits), bytes: widthBytes(bits, numbers), stored: 0, harm: 0 };
    return { key: weightKey(site), layers: [], numbers, choices: [choice] };
  });
  const { values, widths } = activations;
  return {
    ...{ measured: "weights", samples: 0, weights, products },
    rest: fileBytes(graph, options, least),
    activations: products.length > 0 ? values.map((name) => ({ name, choices: [{ bits: widths[0], harm: 0 }] })) : [],
  };
}

/** The best plan whose file, as it is written, has no more bytes than it may have: a table's sizes are estimates. */
async function withinLimit(
  graph: FileGraph,
  {
    table,
    limit,
    measuring,
  }: { readonly table: HarmTable; readonly limit: WidthBudget; readonly measuring: Measuring | null },
  options: PlanOptions,
): Promise<ModelPlan> {
  for (let excess = 0; ; ) {
    const plans = await planWidths({ ...table, rest: table.rest + excess }, limit, measuring);
    const plan = chosen(table, plans, options.activations);
    const over = "bytes" in limit ? fileBytes(graph, options, plan.bitsOf) - limit.bytes : 0;
    if (over <= 0) return plan;
    excess += over;
  }
}

function chosen(table: HarmTable, plans: readonly WidthPlan[], activations: ActivationWidths): ModelPlan {
  const [best] = plans;
  const chosenBits = new Map(table.activations.map(({ name }, item) => [name, best?.activations[item]]));
  // A budget of bytes leaves activations what they are given.
  const grids = activations.gridsAt(activations.values.map((name) => chosenBits.get(name) ?? activations.widths[0]));
  const widths = new Map(
    table.weights.map(({ key, choices }, item) => [
      key,
      widthsOfChoice(at(choices, choiceOf(choices, best?.bits[item] ?? 8))),
    ]),
  );
  return { table, plans, grids, bitsOf: (site) => lookup(widths, weightKey(site)) };
}

/** What a weight takes in the file, with the nodes that unpack it. */
function storedBytesIn(graph: FileGraph): (solved: SolvedSite) => number {
  const empty = () => withGraph(graph.model, { node: [], initializer: [], input: [], output: [] });
  const base = writtenLength(encodeModel(empty()));
  return ({ site, codes, steps, bits }) => {
    const scratch = new FileGraph(empty());
    addFloatWeight(scratch, { name: site.weight, layout: site.layout, codes, steps, bits }, elementTypes.float);
    return writtenLength(encodeModel(scratch.preview())) - base;
  };
}

/** Bytes of the whole file, each weight rounded to so many bits. */
function fileBytes(
  graph: FileGraph,
  { sites, activations, saturation }: Pick<PlanOptions, "sites" | "activations" | "saturation">,
  bitsOf: (site: WeightSite) => WeightWidths,
): number {
  const copy = copyGraph(graph);
  const rounded = new Map(distinctWeights(sites).map((site) => [weightKey(site), roundSite(site, bitsOf(site))]));
  const solved = sites.map((site) => ({
    ...lookup(rounded, weightKey(site)),
    site: { ...site, node: copy.copyOf(site.node) },
  }));
  writeQuantized(copy.graph, { solved, grids: leastGrids(activations), saturation });
  return writtenLength(copy.graph.encode());
}

const leastStored = (weights: HarmTable["weights"]): number =>
  weights.reduce((sum, { choices }) => sum + (choices[0]?.stored ?? 0), 0);
