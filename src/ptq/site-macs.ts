import { at } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import { elementsOf } from "../graph/shape.ts";
import type { FileGraph } from "./file-graph.ts";
import type { HarmTable } from "./harm-table.ts";
import type { Calibration } from "./open-weights.ts";
import { valueSizes } from "./value-sizes.ts";
import { distinctWeights, multipliedValue, type WeightedNode, type WeightSite, weightKey } from "./weight-site.ts";

interface ProductOptions {
  readonly sites: readonly WeightSite[];
  /** Nodes whose weights stay in float: they multiply in 32 bits. */
  readonly unquantized: readonly WeightedNode[];
  /** Activations whose widths are chosen. */
  readonly activations: readonly string[];
  readonly calibration: Calibration;
  readonly file: string;
}

/**
 * Where a file multiplies by its weights, and how often for one sample. Tables that are looked up multiply nothing;
 * products of two values that the network computes are not counted.
 */
export async function productsOf(
  graph: FileGraph,
  { sites, unquantized, activations, ...options }: ProductOptions,
): Promise<HarmTable["products"]> {
  const weights = new Map(distinctWeights(sites).map((site, index) => [weightKey(site), index]));
  const places = new Map(activations.map((name, index) => [name, index]));
  const all = [
    ...sites.map((site) => ({ weighted: weightedOf(site), weight: lookup(weights, weightKey(site)) })),
    ...unquantized.map((weighted) => ({ weighted, weight: null })),
  ];
  const macs = await macsOf(
    graph,
    all.map(({ weighted }) => weighted),
    options,
  );
  return all.flatMap(({ weighted: { node, operator, inner }, weight }, index) => {
    if (operator.macs === null) return [];
    // A layer whose weight is in float computes in float, whatever it reads.
    const read = weight === null ? null : multipliedValue({ node, operator, inner });
    const activation = read === null ? null : (places.get(read) ?? null);
    return [{ weight, activation, macs: at(macs, index) }];
  });
}

const weightedOf = ({ layout: { dims }, ...site }: WeightSite): WeightedNode => ({ ...site, dims });

/** Multiply-accumulates of each node for one sample. */
async function macsOf(
  graph: FileGraph,
  nodes: readonly WeightedNode[],
  options: { readonly calibration: Calibration; readonly file: string },
): Promise<readonly number[]> {
  const values = nodes.map(({ node, operator: { data, macs }, inner }) => {
    if (macs === null || inner) return "";
    return (macs.of === "output" ? node.output[0] : node.input[data ?? 0]) ?? "";
  });
  const { sizes, batch } = await valueSizes(
    graph,
    values.filter((name) => name !== ""),
    options,
  );
  return nodes.map(({ node, operator: { macs }, inner, dims }, index) => {
    if (macs === null) return 0;
    // How often a subgraph runs is not known: once for each sample.
    if (inner) return elementsOf(dims);
    return macs.count(lookup(sizes, at(values, index)), dims, node) / batch;
  });
}
