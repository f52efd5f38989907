import { configHash } from "../config/canonical.ts";
import { checkConfig, wrongConfiguration } from "../config/load-config.ts";
import type { SweepFile } from "../config/load-sweep.ts";
import type { RunConfig } from "../config/schema.ts";
import { type Places, type Source, withSetting } from "../config/source.ts";
import { UsageError } from "../core/errors.ts";
import { shorten } from "../core/shorten.ts";
import { type Assignment, assignmentsOf } from "./assignments.ts";
import { identityOf, namedRuns } from "./run-names.ts";

export interface PlannedRun {
  /** Names the run and its folder; no two of a plan have the same. */
  readonly name: string;
  /** How it differs, by path. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly config: RunConfig;
}

export interface Plan {
  readonly name: string;
  readonly runs: readonly PlannedRun[];
  /** Runs that would have had the configuration of another, and are left out. */
  readonly duplicates: number;
}

/**
 * The runs of a sweep, each with its whole configuration: a pure function of the file.
 *
 * @param threads Of each run's engine, where its configuration does not say.
 * @throws UsageError that lists what is wrong with any of them, with the runs' names.
 */
export function planSweep(
  { path, name, base, sweep, places }: SweepFile,
  { threads }: { readonly threads: number },
): Plan {
  const assignments = assignmentsOf(sweep);
  refuseNames(assignments);
  const written = placesUnder(places, new Set(assignments.flatMap((settings) => settings.map(({ from }) => from))));
  const runs: PlannedRun[] = [];
  const mistakes = new Map<string, string[]>();
  const seen = new Set<string>();
  for (const { name: runName, settings } of namedRuns(assignments)) {
    const checked = checkConfig(named(configured(base, settings, written), runName), path);
    if ("mistakes" in checked) {
      for (const mistake of checked.mistakes) mistakes.set(mistake, [...(mistakes.get(mistake) ?? []), runName]);
      continue;
    }
    const { engine } = checked.config;
    const config = { ...checked.config, engine: { ...engine, threads: engine.threads ?? threads } };
    const hash = configHash({ ...config, name: "", note: "" });
    if (seen.has(hash)) continue;
    seen.add(hash);
    runs.push({
      name: runName,
      settings: Object.fromEntries(settings.map(({ path, value }) => [path, value])),
      config,
    });
  }
  if (mistakes.size > 0) throw wrongConfiguration([...mistakes].map((entry) => describe(entry, assignments.length)));
  return { name, runs, duplicates: assignments.length - runs.length };
}

const named = ({ tree, places }: Source, name: string): Source => ({ tree: { ...tree, name }, places });

/** Shorter paths come first, so that `method.weights` refines a `method` of the same run. */
function configured(base: Source, settings: Assignment, written: ReadonlyMap<string, Places>): Source {
  return settings
    .toSorted((one, other) => one.path.length - other.path.length)
    .reduce(
      (source, { path, value, from }) => withSetting(source, { path, value, written: written.get(from) ?? new Map() }),
      base,
    );
}

/** For each of the paths, where what stands under it was written, by what follows the path. */
function placesUnder(places: Places, paths: ReadonlySet<string>): ReadonlyMap<string, Places> {
  const under = new Map([...paths].map((path): [string, Places] => [path, new Map()]));
  for (const [place, where] of places) {
    for (let end = place.length; end > 0; end = place.lastIndexOf(".", end - 1)) {
      under.get(place.slice(0, end))?.set(place.slice(end), where);
    }
  }
  return under;
}

/** Names that are given are given once, and only where each run is written by itself. */
function refuseNames(assignments: readonly Assignment[]): void {
  const given = assignments.flatMap((settings) => settings.filter(({ path }) => path === "name"));
  const taken = new Set<string>();
  for (const { value, from } of given) {
    const text = JSON.stringify(value) ?? "nothing";
    if (!from.startsWith("sweep.list."))
      throw new UsageError(`${from}: runs of a grid and drawn ones are named by what differs; name those of a list`);
    if (typeof value !== "string") throw new UsageError(`${from}: expected a name, got ${shorten(text)}`);
    if (taken.has(identityOf(value))) throw new UsageError(`${from}: another run has the name ${shorten(text)}`);
    taken.add(identityOf(value));
  }
}

/** A mistake of what all start from is told once. */
function describe([mistake, names]: readonly [string, readonly string[]], total: number): string {
  if (names.length === total && total > 1) return `all runs: ${mistake}`;
  const shown = names.slice(0, 3).join(", ");
  return `${names.length === 1 ? "run" : "runs"} ${shown}${names.length > 3 ? ` and ${names.length - 3} more` : ""}: ${mistake}`;
}
