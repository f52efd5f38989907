import { configSchema, type RunConfig } from "./schema.ts";

/** Keys from the top of a configuration to a setting. */
export type SettingPath = readonly string[];

/**
 * The settings that have another value than they would have if they were left out. What must be given has no default,
 * and is not among them, but in a section that is there by choice.
 *
 * @returns their paths; none where this version's schema takes the configuration no more.
 */
export function chosenSettings(config: RunConfig): readonly SettingPath[] {
  const whole = resolved(config);
  return whole === null ? [] : chosenIn(config, [], { config, whole });
}

interface Settings {
  readonly config: object;
  readonly whole: string;
}

function chosenIn(value: unknown, path: SettingPath, settings: Settings): readonly SettingPath[] {
  const without = path.length === 0 ? null : resolved(leftOut(settings.config, path));
  if (without === settings.whole) return [];
  if (!isSection(value)) return without === null ? [] : [path];
  const inside = Object.entries(value).flatMap(([key, inner]) => chosenIn(inner, [...path, key], settings));
  return inside.length > 0 || without === null ? inside : requiredIn(value, path, settings.config);
}

/** What a configuration comes to with its defaults, as text; null where it is none. */
function resolved(config: object): string | null {
  const parsed = configSchema.safeParse(config);
  return parsed.success ? JSON.stringify(parsed.data) : null;
}

function leftOut(section: object, [key = "", ...rest]: SettingPath): object {
  return Object.fromEntries(
    Object.entries(section).flatMap(([name, value]) =>
      name !== key ? [[name, value]] : rest.length > 0 && isSection(value) ? [[name, leftOut(value, rest)]] : [],
    ),
  );
}

/** The settings of a section that it cannot be without. */
function requiredIn(section: object, path: SettingPath, config: object): readonly SettingPath[] {
  return Object.entries(section).flatMap(([key, inner]) => {
    const at = [...path, key];
    if (resolved(leftOut(config, at)) !== null) return [];
    return isSection(inner) ? requiredIn(inner, at, config) : [at];
  });
}

const isSection = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
