import { type Change, changedSettings } from "../config/changes.ts";
import type { Figure } from "../tasks/metric.ts";
import type { RunView, ViewedTensor } from "./run-view.ts";

/** What one of two has, and the other; null where it lacks it. */
interface Pair<T> {
  readonly before: T | null;
  readonly after: T | null;
}

/** In what two runs differ. */
export interface ViewDifference {
  readonly settings: readonly Change[];
  readonly figures: readonly ({ readonly key: string } & Pair<Figure>)[];
  readonly tensors: readonly ({ readonly tensor: string } & Pair<ViewedTensor>)[];
}

/** The settings, figures and tensors that are not the same in both; names of runs and of their folders are none of them. */
export function compareViews(before: RunView, after: RunView): ViewDifference {
  return {
    settings: changedSettings(before.settings, after.settings).filter(({ path }) => path !== "name"),
    figures: paired(before.figures, after.figures, ({ key }) => key).map(([key, pair]) => ({ key, ...pair })),
    tensors: paired(before.tensors, after.tensors, ({ tensor }) => tensor).map(([tensor, pair]) => ({
      tensor,
      ...pair,
    })),
  };
}

/** Items of both lists by their names, in the first's order and then the second's, without those that are the same. */
function paired<T extends object>(before: readonly T[], after: readonly T[], nameOf: (one: T) => string) {
  const [old, young] = [before, after].map((list) => new Map(list.map((one) => [nameOf(one), one])));
  const names = new Set([...before, ...after].map(nameOf));
  return [...names].flatMap((name): [string, Pair<T>][] => {
    const pair = { before: old?.get(name) ?? null, after: young?.get(name) ?? null };
    return JSON.stringify(pair.before) === JSON.stringify(pair.after) ? [] : [[name, pair]];
  });
}
