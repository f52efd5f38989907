import { basename, extname } from "node:path";
import { z } from "zod";
import { UsageError } from "../core/errors.ts";
import { tuple } from "../core/tuple.ts";
import { explainIssues } from "./explain.ts";
import { wrongConfiguration } from "./load-config.ts";
import { configSchema } from "./schema.ts";
import { type SweepConfig, sweep as sweepSection } from "./sections/sweep-settings.ts";
import { merge, type Places, parseSetting, readSource, type Source } from "./source.ts";

/** A file with a sweep: settings that all its runs start from, and how they differ. */
export interface SweepFile {
  readonly path: string;
  readonly name: string;
  /** The settings of the file without `sweep`; they need not be a whole configuration. */
  readonly base: Source;
  readonly sweep: SweepConfig;
  /** Where each part of `sweep` was written. */
  readonly places: Places;
}

const schema = z.object({ name: configSchema.shape.name, sweep: sweepSection });

/**
 * Loads a sweep: the file, what it extends, then each `--set`. Runs are checked when they are planned.
 *
 * @throws UsageError that lists everything that is wrong with its name and its `sweep` section.
 */
export function loadSweep(path: string, { set = [] }: { set?: readonly string[] } = {}): SweepFile {
  const { tree, places } = set.map(parseSetting).reduce(merge, readSource(path));
  const { sweep, ...base } = tree;
  if (sweep === undefined) {
    throw new UsageError(`${path} has no sweep section, and describes one run: bayesian-bits train ${path}`);
  }
  const named = { name: nameOf({ tree, places }, path), sweep };
  const parsed = schema.safeParse(named);
  if (!parsed.success)
    throw wrongConfiguration(explainIssues(parsed.error, { tree: named, places, file: path, schema }));
  const isOfSweep = (place: string) => place.startsWith("sweep.");
  const [own, rest] = tuple(
    [isOfSweep, (place: string) => !isOfSweep(place)].map((is) => new Map([...places].filter(([place]) => is(place)))),
    2,
  );
  return { path, base: { tree: base, places: rest }, places: own, ...parsed.data };
}

/** A name that the file has from what it extends is that of a run: the file's own is the sweep's then. */
function nameOf({ tree, places }: Source, path: string): unknown {
  const place = places.get("name") ?? "";
  const own = place.startsWith(`${path}:`) || place.startsWith("--set");
  return own ? tree.name : basename(path, extname(path));
}
