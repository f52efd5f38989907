import { at } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import { total } from "../methods/layerwise/layer-statistics.ts";
import { cornerPlans } from "../quantization/corner-plans.ts";
import type { WeightBits } from "../quantization/weight-grid.ts";
import { distinctWidths, meanWidth, widestWidth, widthBytes, widthsText } from "../quantization/weight-widths.ts";
import { budgetWidths, type HarmChoice } from "./harm-table.ts";
import { mixedSite } from "./mixed-rows.ts";
import type { RowErrors } from "./row-errors.ts";
import type { SolvedSite } from "./solve-site.ts";

/** Bits on average that rows of several widths come to: what is between two of these gains next to nothing. */
const averages = [
  ...Array.from({ length: 15 }, (_, step) => 2 + (step + 1) / 8),
  ...Array.from({ length: 7 }, (_, step) => 4 + (step + 1) / 2),
];

/** Widths of a weight's output channels, and what their errors come to. */
interface RowPlan {
  readonly widths: readonly WeightBits[];
  readonly error: number;
}

/**
 * Widths of output channels with the least sum of their errors, for some averages of bits: corners of the hull of all there
 * are. Where all channels come out equal it is none.
 */
function rowPlans({ byWidth, group: size }: RowErrors): readonly RowPlan[] {
  const channels = lookup(byWidth, budgetWidths[0]).length;
  const groups = Array.from({ length: Math.ceil(channels / size) }, (_, group) => ({
    start: group * size,
    end: Math.min(channels, (group + 1) * size),
  }));
  const sum = (bits: WeightBits, { start, end }: (typeof groups)[number]) =>
    total(lookup(byWidth, bits).subarray(start, end));
  const items = groups.map((group) =>
    budgetWidths.map((bits) => ({ bits, cost: bits * (group.end - group.start), harm: sum(bits, group) })),
  );
  const plans: RowPlan[] = [];
  const known = new Set<number>(budgetWidths);
  for (const picks of cornerPlans(
    items,
    averages.map((average) => average * channels),
  )) {
    if (picks === null) continue;
    const chosen = picks.map((choice, item) => at(at(items, item), choice));
    const widths = chosen.flatMap(({ bits }, item) => {
      const { start, end } = at(groups, item);
      return new Array<WeightBits>(end - start).fill(bits);
    });
    const average = meanWidth(widths);
    if (known.has(average)) continue;
    known.add(average);
    plans.push({ widths, error: chosen.reduce((sum, { harm }) => sum + harm, 0) });
  }
  return plans;
}

/** Averages at which rows of several widths are measured too: how harms go between whole widths is not always as errors do. */
const landmarks = [3, 6];

/** The choices of several widths whose harm is to be measured. */
export const landmarksOf = (choices: readonly HarmChoice[]): readonly HarmChoice[] => {
  const mixed = choices.filter(({ channelBits }) => channelBits !== undefined);
  const near = (average: number) =>
    mixed.toSorted((one, other) => Math.abs(one.bits - average) - Math.abs(other.bits - average)).slice(0, 1);
  return [...new Set(landmarks.flatMap(near))];
};

/** Choices with the harms of some of them measured: what was not is told by those that were. */
export function withMeasured(choices: readonly HarmChoice[], measured: ReadonlyMap<HarmChoice, number>): HarmChoice[] {
  const known = Array.from(measured, ([{ rowError = 0 }, harm]) => ({ rowError, harm }));
  return choices.map((choice) => ({
    ...choice,
    harm: measured.get(choice) ?? harmAt(known, choice.rowError ?? 0),
  }));
}

/** A harm that was measured, where the errors of rows come to so much. */
interface MeasuredHarm {
  readonly rowError: number;
  readonly harm: number;
}

/**
 * The harm of rows whose errors come to `error`: between measured ones it goes with the error; beyond them it is that of the
 * nearest.
 */
function harmAt(measured: readonly MeasuredHarm[], error: number): number {
  const sorted = measured.toSorted((one, other) => one.rowError - other.rowError);
  const next = sorted.findIndex(({ rowError }) => rowError >= error);
  const [above, below] = [sorted.at(next), sorted[Math.max(0, next - 1)]];
  if (above === undefined || below === undefined) throw new RangeError("no harm was measured");
  const span = above.rowError - below.rowError;
  const share = span > 0 ? Math.min(1, Math.max(0, (error - below.rowError) / span)) : 1;
  return below.harm + share * (above.harm - below.harm);
}

/**
 * What a weight may get: the widths that were measured, and rows of several between them.
 *
 * @param measured All output channels at one width each.
 */
export function withRowChoices(
  measured: readonly HarmChoice[],
  errors: RowErrors,
  {
    solved,
    storedBytes,
  }: { readonly solved: readonly SolvedSite[]; readonly storedBytes: (solved: SolvedSite) => number },
): HarmChoice[] {
  const known = measured.map((choice) => ({ ...choice, rowError: total(byWidthOf(errors, choice.bits)) }));
  const at = new Map(solved.map((one) => [widestWidth(one.bits), one]));
  const numbers = solved[0]?.codes.length ?? 0;
  /** What a file holds beside the bytes that are counted: the same for rows of the same widths. */
  const besides = new Map<string, number>();
  const mixed = rowPlans(errors).map(({ widths, error }): HarmChoice => {
    const bytes = Math.ceil(widthBytes(widths, numbers));
    const types = distinctWidths(widths).join(" ");
    const beside = besides.get(types) ?? storedBytes(mixedSite(at, widths)) - bytes;
    besides.set(types, beside);
    return {
      ...{ bits: meanWidth(widths), channelBits: widthsText(widths), bytes, stored: bytes + beside },
      ...{ harm: harmAt(known, error), rowError: error },
    };
  });
  return [...known, ...mixed].sort((one, other) => one.bits - other.bits);
}

function byWidthOf({ byWidth }: RowErrors, bits: number): Float64Array {
  for (const [width, errors] of byWidth) if (width === bits) return errors;
  throw new RangeError(`no errors were measured at ${bits} bits`);
}
