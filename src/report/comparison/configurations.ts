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

/** A label says at most so many differing settings. */
const saidSettings = 2;

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
  const paths = differingSettings(runs.map(([first]) => first.config));
  return runs.map((group) => ({ runs: group, label: labelOf(group, runs, paths) }));
}

/** The run's name where names tell the configurations apart, otherwise the settings that do most. */
function labelOf(group: Runs, all: readonly Runs[], paths: readonly string[]): string {
  const [first] = group;
  const { name } = first;
  const own = group.every((run) => run.name === name);
  const shared = all.some((other) => other !== group && other.some((run) => run.name === name));
  if ((own && !shared) || paths.length === 0) return name;
  const settings = settingsOf(first.config);
  const others = all.filter((other) => other !== group).map(([run]) => settingsOf(run.config));
  // First what few others share; what is not set says little.
  const sharing = (path: string) =>
    settings.has(path)
      ? others.filter((other) => other.get(path) === settings.get(path)).length
      : Number.POSITIVE_INFINITY;
  const said = paths
    .toSorted((one, other) => sharing(one) - sharing(other) || 0)
    .slice(0, saidSettings)
    .map((path) => `${path.split(".").at(-1)} ${settings.get(path)?.replace(/^"(.*)"$/, "$1") ?? "–"}`);
  return `${said.join(", ")}${paths.length > saidSettings ? ", …" : ""}`;
}
