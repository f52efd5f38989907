import type { z } from "zod";
import { explainIssues } from "./explain.ts";
import { checkConfig, wrongConfiguration } from "./load-config.ts";
import type { RunConfig, RunSettings } from "./schema.ts";
import { type DataConfig, type DataSettings, data } from "./sections/data-settings.ts";

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
  const parsed = data.safeParse(settings);
  if (parsed.success) return parsed.data;
  throw wrongConfiguration(mistakesIn(parsed.error, settings));
}

const mistakesIn = (error: z.ZodError, settings: DataSettings): readonly string[] =>
  explainIssues(error, { tree: { ...settings }, places: new Map(), file: place, schema: data });
