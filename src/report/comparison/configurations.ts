import { first } from "../../core/elements.ts";
import type { RunRecord } from "../../runs/record.ts";

/** Runs of one configuration that differ in nothing but their seed, and in how many threads they had. */
export interface Configuration {
  /** Short: what tells it from the others. */
  readonly label: string;
  readonly runs: Runs;
}

/** At least one. */
type Runs = readonly [RunRecord, ...RunRecord[]];

type Config = Readonly<Record<string, unknown>>;

/** What may differ between runs of one configuration: the seed, what a run is called, and its share of the machine. */
const ofTheRun = new Set(["seed", "name", "note", "engine.threads"]);

/** A configuration as dotted paths with their values as JSON, without what is of the run alone. */
export function settingsOf(config: Config): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  const walk = (value: unknown, path: string) => {
    if (ofTheRun.has(path)) return;
    if (typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0) {
      for (const [key, inner] of Object.entries(value)) walk(inner, path === "" ? key : `${path}.${key}`);
    } else if (value !== undefined) settings.set(path, JSON.stringify(value));
  };
  walk(config, "");
  return settings;
}

/** The paths whose values are not the same in all configurations, in order of their first appearance. */
export function differingSettings(configs: readonly Config[]): readonly string[] {
  const all = configs.map(settingsOf);
  const paths = new Set(all.flatMap((settings) => [...settings.keys()]));
  return [...paths].filter((path) => new Set(all.map((settings) => settings.get(path))).size > 1);
}

/** Where nothing but settings tells configurations apart, a label says at most so many. */
const saidSettings = 2;

/** Runs grouped by configuration, each in order of its first run. */
export function groupRuns(records: readonly RunRecord[]): readonly Configuration[] {
  const groups = new Map<string, [RunRecord, ...RunRecord[]]>();
  for (const record of records) {
    const key = JSON.stringify([...settingsOf(record.config)].sort());
    const group = groups.get(key);
    if (group) group.push(record);
    else groups.set(key, [record]);
  }
  const runs = [...groups.values()];
  return runs.map((group) => ({ runs: group, label: labelOf(group, runs) }));
}

/**
 * A configuration's own name: its runs' without their seeds, and where others have it too, the settings that tell it
 * from them.
 */
function labelOf(group: Runs, all: readonly Runs[]): string {
  const name = ownName(group);
  const same = all.filter((other) => ownName(other) === name);
  if (same.length === 1) return name;
  const settings = settingsApart(group, same);
  if (same.length < all.length) return `${name} (${first(settings)})`;
  return `${settings.slice(0, saidSettings).join(", ")}${settings.length > saidSettings ? ", …" : ""}`;
}

/** What the runs' names have in common; of runs that only seeds name, their method's. */
function ownName([first, ...others]: Runs): string {
  const names = new Set([first, ...others].map(nameWithoutSeed));
  const [name = ""] = names;
  return names.size === 1 && name !== "" ? name : others.length === 0 ? first.name : first.config.method.name;
}

/** The name that a sweep gives a run of this seed, without the seed: `target-0.3_seed-2` → `target-0.3`. */
function nameWithoutSeed({ name, seed }: RunRecord): string {
  const part = new RegExp(`(^|[-_. ])seed[-_. ]?${seed}(?:$|([-_. ]))`);
  return name.replace(part, (_, before: string, after = "") => (before === "" ? "" : after));
}

/** The settings that tell a configuration from these, those first that few others share. */
function settingsApart(group: Runs, all: readonly Runs[]): readonly string[] {
  const settings = settingsOf(first(group).config);
  const others = all.filter((other) => other !== group).map(([run]) => settingsOf(run.config));
  // What is not set says little.
  const sharing = (path: string) =>
    settings.has(path)
      ? others.filter((other) => other.get(path) === settings.get(path)).length
      : Number.POSITIVE_INFINITY;
  return differingSettings(all.map(([run]) => run.config))
    .toSorted((one, other) => sharing(one) - sharing(other) || 0)
    .map((path) => `${path.split(".").at(-1)} ${settings.get(path)?.replace(/^"(.*)"$/, "$1") ?? "–"}`);
}
