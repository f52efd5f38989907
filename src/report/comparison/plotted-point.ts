import type { Mark } from "../browser/data.ts";
import { type MethodName, methodSymbol } from "../charts/method-marks.ts";
import { cross } from "../charts/symbols.ts";
import type { Markup } from "../page/markup.ts";
import { ofRuns } from "../page/table.ts";
import type { Granularity } from "./granularity.ts";
import type { Spread } from "./spread.ts";

/** A run in a plot: where it lies, and what hovering tells. */
export interface PlottedRun {
  readonly cost: number;
  readonly value: number;
  /** In which its value lies, where that is known. */
  readonly interval: readonly [number, number] | null;
  readonly mark: Mark;
}

/** A configuration, or a published result, in the plot. */
export interface PlottedPoint {
  readonly label: string;
  /** null: a result that others have published, which takes no part in the front. */
  readonly method: MethodName | null;
  /** What learns a bit-width, where that tells runs apart. */
  readonly granularity: Granularity | null;
  readonly cost: Spread;
  readonly value: Spread;
  readonly runs: readonly PlottedRun[];
  /** The page's numbers of its runs, in their order; none of a published result. */
  readonly numbers: readonly number[];
}

export const pointSymbol = ({ method, granularity }: Pick<PlottedPoint, "method" | "granularity">): Markup =>
  method === null ? cross : methodSymbol(method, granularity?.filled);

/** Says which runs an element of the drawing tells of; nothing of published results, which no filter hides. */
export const ofPoint = ({ numbers }: Pick<PlottedPoint, "numbers">): Markup | null =>
  numbers.length === 0 ? null : ofRuns(numbers);
