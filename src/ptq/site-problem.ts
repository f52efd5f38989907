import { lookup } from "../core/lookup.ts";
import type { Ops } from "../engine/ops.ts";
import { elementsOf } from "../graph/shape.ts";
import type { CalibrationRows, LayerProblem, UnsizedProblem } from "../methods/layerwise/layer-problem.ts";
import { elementTypes } from "../onnx/element-types.ts";
import type { FileGraph } from "./file-graph.ts";
import type { LayerWalk } from "./layer-walk.ts";
import type { Weights } from "./open-weights.ts";
import { endingOf, isLinear } from "./site-patches.ts";
import { type SeenRows, SiteRows } from "./site-rows.ts";
import { toRows, type WeightSite } from "./weight-site.ts";

/** Numbers of one collection of rows: 128 MiB. */
const MOST_NUMBERS = 2 ** 25;

/** Whether a site's outputs can be told from what it reads. */
export const isSolvable = (site: WeightSite): boolean =>
  !site.inner && site.operator.data !== null && site.type === elementTypes.float && isLinear(site);

/** What sites see in a walk, at places that the seed chooses. */
export async function gatherRows(
  walk: LayerWalk,
  options: { sites: readonly WeightSite[]; places: number; seed: number; samples: number; weights: Weights },
): Promise<ReadonlyMap<WeightSite, SeenRows>> {
  const { sites, weights, seed, samples, places } = options;
  const collectors = new Map(
    sites.map((site) => {
      const { dims, axis, groups } = site.layout;
      const row = (groups * elementsOf(dims)) / (dims[axis] ?? 1);
      const most = Math.floor(MOST_NUMBERS / (row * samples * sites.length));
      return [site, new SiteRows(site, { positions: Math.min(places, Math.max(1, most)), seed })];
    }),
  );
  await walk.read(sites, weights, (site, { dims, data }, run) => {
    if (data instanceof Float32Array) lookup(collectors, site).add({ dims, values: data }, run);
  });
  const rows = Array.from(collectors, ([site, collector]) => [site, collector.rows()] as const);
  return new Map(rows.flatMap(([site, seen]) => (seen === null ? [] : [[site, seen]])));
}

/** A problem without its bits; null where nothing was seen, or other sizes behind quantized layers than in the float file. */
export function problemOf(
  graph: FileGraph,
  site: WeightSite,
  { seen, floats }: { readonly seen: SeenRows | undefined; readonly floats: SeenRows | undefined },
  ops: Ops,
): UnsizedProblem | null {
  if (seen === undefined || floats === undefined || seen.inputs.length !== floats.inputs.length) return null;
  const weight = toRows(site.layout, site.values);
  const { groups } = site.layout;
  const ending = endingOf(graph, site);
  const { samples, positions } = seen;
  const targets = outputsOf(ops, { ...floats, weight, groups, bias: ending.bias });
  const rows: CalibrationRows = { groups, samples, positions, inputs: seen.inputs, targets };
  return { weight, ...ending, rows };
}

/** What a float layer gives on rows, [groups, rows, outputs of a group]. */
function outputsOf(
  ops: Ops,
  {
    samples,
    positions,
    inputs,
    weight,
    groups,
    bias,
  }: SeenRows & Pick<LayerProblem, "weight" | "bias"> & { readonly groups: number },
): Float32Array {
  const outputs = weight.outputs / groups;
  return ops.scope(
    () => {
      const x = ops.tensor(inputs, [groups, samples * positions, weight.inputs]);
      const product = ops.batchMatmul(x, ops.tensor(weight.values, [groups, outputs, weight.inputs]), {
        transposeB: true,
      });
      return Float32Array.from(ops.read(bias ? ops.add(product, ops.tensor(bias, [groups, 1, outputs])) : product));
    },
    () => [],
  );
}
