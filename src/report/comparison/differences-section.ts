import { foreign, markup } from "../page/markup.ts";
import { later, type Section } from "../page/section.ts";
import { type Column, table } from "../page/table.ts";
import { type Configuration, differingSettings, settingsOf } from "./configurations.ts";

/** More settings than this make a table nobody reads; the runs' own reports have them all. */
const shownSettings = 40;

/** What tells the configurations apart. */
export function differenceSection(configurations: readonly Configuration[]): Section {
  const paths = differingSettings(configurations.map(({ runs }) => runs[0]!.config));
  const settings = new Map(configurations.map((one) => [one, settingsOf(one.runs[0]!.config)]));
  const column = (path: string): Column<Configuration> => {
    const values = configurations.map((one) => settings.get(one)!.get(path));
    const numeric = values.every(
      (value) => value === undefined || (value.trim() !== "" && Number.isFinite(Number(value))),
    );
    return {
      title: path,
      kind: numeric ? "number" : "text",
      value: (row) => settings.get(row)!.get(path) ?? null,
      show: (row) => foreign(unquoted(settings.get(row)!.get(path) ?? "–"), 60),
    };
  };
  return {
    id: "differences",
    title: "What differs",
    body:
      paths.length === 0
        ? later("Nothing but seeds and names: all runs have the same configuration.")
        : markup`${table<Configuration>({
            id: "difference-table",
            caption: "Settings that are not the same in all configurations",
            columns: [
              { title: "Configuration", value: ({ label }) => label, show: ({ label }) => foreign(label, 60) },
              ...paths.slice(0, shownSettings).map(column),
            ],
            rows: configurations,
          })}${paths.length > shownSettings && markup`<p class="note">${paths.length - shownSettings} more settings differ.</p>`}`,
  };
}

/** Of a JSON string its content. */
const unquoted = (json: string): string => json.replace(/^"(.*)"$/s, "$1");
