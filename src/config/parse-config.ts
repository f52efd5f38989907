import type { z } from "zod";
import { explainIssues } from "./explain.ts";
import { checkConfig, wrongConfiguration } from "./load-config.ts";
import type { RunConfig, RunSettings } from "./schema.ts";
import { type DataConfig, type DataSettings, data } from "./sections/data-settings.ts";
import { type TaskConfig, task } from "./sections/task-settings.ts";

/** Where settings are found wrong that come from no file. */
const place = "given as an object";

/**
 * A run's configuration from an object: what it leaves out gets its default.
 *
 * @throws UsageError that lists everything that is wrong with it, settings that nobody knows among it.
 */
export function parseConfig(settings: RunSettings): RunConfig {
  const checked = checkConfig({ tree: { ...settings }, places: new Map() }, place);
  if ("config" in checked) return checked.config;
  throw wrongConfiguration(checked.mistakes);
}

/** The same of a section `data` alone. */
export function parseData(settings: DataSettings): DataConfig {
  return parseSection(data, settings);
}

/** The same of a section `task`, which may be left out. */
export function parseTask(settings: TaskConfig | undefined): RunConfig["task"] {
  return parseSection(task, settings);
}

function parseSection<Schema extends z.ZodType>(schema: Schema, settings: object | undefined): z.output<Schema> {
  const parsed = schema.safeParse(settings);
  if (parsed.success) return parsed.data;
  throw wrongConfiguration(
    explainIssues(parsed.error, { tree: { ...settings }, places: new Map(), file: place, schema }),
  );
}
