import type { SweepConfig } from "../config/sections/sweep-settings.ts";
import { mostRuns } from "../config/sections/sweep-settings.ts";
import { UsageError } from "../core/errors.ts";
import { draw } from "./draw.ts";

/** A setting of one run. */
export interface Setting {
  readonly path: string;
  readonly value: unknown;
  /** Path of the sweep's file under which the value was written. */
  readonly from: string;
}

/** How one run differs from the settings that all start from. */
export type Assignment = readonly Setting[];

/**
 * Every run of the grid (the last setting changes fastest), of the list, and of those drawn.
 *
 * @throws UsageError when there are none, or more than a sweep may have.
 */
export function assignmentsOf({ grid = {}, list = [], random }: SweepConfig): readonly Assignment[] {
  const paths = Object.entries(grid);
  const combinations = paths.length === 0 ? 0 : paths.reduce((runs, [, values]) => runs * values.length, 1);
  const total = combinations + list.length + (random?.count ?? 0);
  if (total > mostRuns) throw new UsageError(`sweep: expected at most ${mostRuns} runs, got ${total}`);
  if (total === 0) throw new UsageError("sweep: expected at least one run: sweep.grid has no setting");
  return [
    ...(combinations === 0 ? [] : product(paths)),
    ...list.map((entry, index) =>
      Object.entries(entry).map(([path, value]) => ({ path, value, from: `sweep.list.${index}.${path}` })),
    ),
    ...(random === undefined ? [] : drawn(random)),
  ];
}

const drawn = ({ count, seed, settings }: NonNullable<SweepConfig["random"]>): readonly Assignment[] =>
  Array.from({ length: count }, (_, run) =>
    Object.entries(settings).map(([path, distribution]) => ({
      path,
      value: draw(distribution, { seed, path, run }),
      from: `sweep.random.settings.${path}`,
    })),
  );

function product(paths: readonly (readonly [string, readonly unknown[]])[]): readonly Assignment[] {
  return paths.reduce<readonly Assignment[]>(
    (runs, [path, values]) =>
      runs.flatMap((run) =>
        values.map((value, index) => [...run, { path, value, from: `sweep.grid.${path}.${index}` }]),
      ),
    [[]],
  );
}
