import type { ActivationBits } from "../config/sections/quantize-settings.ts";
import { at } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import type { ActivationGrid, ActivationStatistics } from "./activation-grid.ts";
import { calibrate } from "./calibrate-activations.ts";
import type { FileGraph } from "./file-graph.ts";
import type { Calibration } from "./open-weights.ts";
import { raiseForIntegers } from "./operator-set.ts";
import { type ValueToQuantize, valuesToQuantize } from "./quantized-values.ts";
import type { WeightSite } from "./weight-site.ts";

/** Activations of a file, and what widths they may get. */
export interface ActivationWidths {
  /** What layers multiply by their weights. */
  readonly values: readonly string[];
  /** That each of them may get, the least first; where there are several, a budget chooses. */
  readonly widths: readonly [ActivationBits, ...ActivationBits[]];
  /**
   * What stands on a grid where values have these widths, in their order. What a convolution gives and no layer
   * multiplies has 8 bits where the convolution reads 8; where all have one width, that.
   */
  gridsAt(widths: readonly ActivationBits[]): ReadonlyMap<string, ActivationGrid>;
  /** What the user should know of it. */
  readonly notes: readonly string[];
}

interface FindOptions {
  readonly sites: readonly WeightSite[];
  /** The width of all of them; "budget": each is to have its own. */
  readonly activations: ActivationBits | "budget";
  /** null: there is no data, and activations stay in float. */
  readonly calibration: Calibration | null;
  readonly file: string;
}

/** The grids of activations that all have the least width that they may get. */
export const leastGrids = ({
  values,
  widths: [least],
  gridsAt,
}: ActivationWidths): ReadonlyMap<string, ActivationGrid> => gridsAt(values.map(() => least));

/** Finds the activations that may be put on grids, and calibrates them; an old file is raised to the operator set that they need. */
export async function findActivations(
  graph: FileGraph,
  { sites, activations, calibration, file }: FindOptions,
): Promise<ActivationWidths> {
  if (calibration === null || activations === 32) return inFloat([]);
  const { widths, notes } = possibleWidths(graph, activations);
  const [least] = widths;
  if (least === 32) return inFloat(notes);
  const wanted = valuesToQuantize(graph, sites).filter(({ name }) => graph.initializer(name) === null);
  const names = wanted.map(({ name }) => name);
  const statistics = await calibrate(graph.preview(), { values: names, calibration, file });
  const known = wanted.filter(({ name }) => {
    const { finite, low, high } = lookup(statistics, name);
    return finite && high >= low;
  });
  const values = known.flatMap(({ name, behind }) => (behind === null ? name : []));
  const gridOf = gridFinder(statistics);
  return {
    values,
    widths,
    gridsAt: (chosen) => {
      const bits = new Map(values.map((name, item) => [name, at(chosen, item)]));
      const widthOf = ({ name, behind }: ValueToQuantize): ActivationBits => {
        if (behind === null) return lookup(bits, name);
        if (widths.length === 1) return least;
        return bits.get(behind) === 8 ? 8 : 32;
      };
      return new Map(
        known.flatMap((value) => {
          const width = widthOf(value);
          return width === 32 ? [] : [[value.name, gridOf(value.name, width)] as const];
        }),
      );
    },
    notes,
  };
}

const inFloat = (notes: readonly string[]): ActivationWidths => ({
  ...{ values: [], widths: [32], notes },
  gridsAt: () => new Map(),
});

/** Widths that the file's operator set has, once it is raised as far as they need. */
function possibleWidths(
  { model }: FileGraph,
  activations: 8 | 16 | "budget",
): Pick<ActivationWidths, "widths" | "notes"> {
  if (activations !== "budget") {
    const hindrance = raiseForIntegers(model, activations);
    return hindrance === null
      ? { widths: [activations], notes: [] }
      : { widths: [32], notes: [stayInFloat(hindrance)] };
  }
  const wide = raiseForIntegers(model, 16);
  if (wide === null) return { widths: [8, 16, 32], notes: [] };
  const narrow = raiseForIntegers(model, 8);
  return narrow === null
    ? { widths: [8, 32], notes: [`activations get 8 bits or stay in float: ${wide}`] }
    : { widths: [32], notes: [stayInFloat(narrow)] };
}

const stayInFloat = (hindrance: string): string => `activations stay in float: ${hindrance}`;

/** The best grid of each value and width, searched once. */
function gridFinder(statistics: ReadonlyMap<string, ActivationStatistics>) {
  const found = new Map<string, ActivationGrid>();
  return (name: string, bits: 8 | 16): ActivationGrid => {
    const key = `${bits} ${name}`;
    const grid = found.get(key) ?? lookup(statistics, name).bestGrid(bits);
    found.set(key, grid);
    return grid;
  };
}
