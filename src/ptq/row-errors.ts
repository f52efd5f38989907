import { lookup } from "../core/lookup.ts";
import type { Watch } from "../core/progress.ts";
import type { Ops } from "../engine/ops.ts";
import { channelErrors, releaseRows, uploadRows } from "../methods/layerwise/layer-error.ts";
import type { WeightBits } from "../quantization/weight-grid.ts";
import { widestWidth } from "../quantization/weight-widths.ts";
import { groupSize, type WidthGranularity } from "../quantization/width-granularity.ts";
import type { FileGraph } from "./file-graph.ts";
import { LayerWalk } from "./layer-walk.ts";
import type { Calibration, Weights } from "./open-weights.ts";
import { gatherRows, isSolvable, problemOf } from "./site-problem.ts";
import type { SolvedSite } from "./solve-site.ts";
import { decodedValues } from "./solve-sites.ts";
import { byValue, distinctWeights, toRows, type WeightSite, weightKey } from "./weight-site.ts";

/** Which output channels of a weight have widths of their own, and what measures their errors. */
export interface RowWidths {
  readonly granularity: WidthGranularity;
  /** null: there is no data. */
  readonly engine: { readonly ops: Ops; readonly seed: number } | null;
}

/** Places of each sample at which layers are looked at. */
const POSITIONS = 32;

interface RowErrorOptions extends RowWidths {
  readonly sites: readonly WeightSite[];
  /** By `weightKey`, a weight at several widths. */
  readonly solved: ReadonlyMap<string, readonly SolvedSite[]>;
  readonly calibration: Calibration | null;
  readonly file: string;
  readonly watch: Watch;
}

/** What the output channels of a weight lose. */
export interface RowErrors {
  /** How many neighbouring channels share a width. */
  readonly group: number;
  /** The squared error of each channel, by width. */
  readonly byWidth: ReadonlyMap<WeightBits, Float64Array>;
}

/**
 * What each output channel of a weight loses at each width: the squared error of what the layer hands on (its outputs,
 * behind the ReLU that alone reads them), where it sees the float file. Where that cannot be told, or there is no data, it
 * is the channel's own: of a table too, as a few samples do not tell which rows will be looked up.
 *
 * @returns By `weightKey`.
 */
export async function rowErrors(graph: FileGraph, options: RowErrorOptions): Promise<ReadonlyMap<string, RowErrors>> {
  const { sites, solved, engine, granularity, calibration, file, watch } = options;
  const errors = new Map<string, RowErrors>();
  const add = (key: string, of: (one: SolvedSite) => Float64Array) => {
    const byWidth = new Map(lookup(solved, key).map((one) => [widestWidth(one.bits), of(one)]));
    const channels = byWidth.values().next().value?.length ?? 1;
    errors.set(key, { group: groupSize(granularity, channels), byWidth });
  };
  for (const key of solved.keys()) add(key, ownErrors);
  const seen = distinctWeights(sites).filter((site) => solved.has(weightKey(site)) && isSolvable(site));
  if (engine === null || calibration === null || seen.length === 0) return errors;
  const { ops, seed } = engine;
  await using walk = new LayerWalk(graph, { sites, grids: new Map(), calibration, file });
  const weights: Weights = new Map();
  const groups = byValue(seen);
  watch.stage("measuring output channels", groups.length);
  for (const [index, together] of groups.entries()) {
    const later = groups.slice(index).flat();
    await walk.advance(later, { weights, unknown: new Set(later.map(weightKey)) });
    const choice = { places: POSITIONS, seed, samples: calibration.order.length };
    const rows = await gatherRows(walk, { ...choice, sites: together, weights });
    for (const site of together) {
      const own = rows.get(site);
      const problem = problemOf(graph, site, { seen: own, floats: own }, ops);
      if (problem === null) continue;
      const whole = { ...problem, name: site.name, bits: 8 as const };
      const uploaded = uploadRows(ops, whole);
      add(weightKey(site), (one) =>
        channelErrors(ops, whole, uploaded, toRows(site.layout, decodedValues(one)).values),
      );
      releaseRows(ops, uploaded);
      await watch.done(index, site.name);
    }
  }
  return errors;
}

function ownErrors(solved: SolvedSite): Float64Array {
  const { layout, values } = solved.site;
  const { values: rows, outputs, inputs } = toRows(layout, values);
  const decoded = toRows(layout, decodedValues(solved)).values;
  const errors = new Float64Array(outputs);
  for (let index = 0; index < rows.length; index++) {
    const error = rows[index]! - decoded[index]!;
    errors[Math.floor(index / inputs)]! += error * error;
  }
  return errors;
}
