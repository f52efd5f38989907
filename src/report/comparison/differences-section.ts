import { foreign, markup } from "../page/markup.ts";
import { later, type Section } from "../page/section.ts";
import { type Column, table } from "../page/table.ts";
import { type Configuration, differingSettings, settingsOf } from "./configurations.ts";

/** More settings than this make a table nobody reads; the runs' own reports have them all. */
const shownSettings = 40;

/** A configuration with what it sets. */
interface Row extends Pick<Configuration, "label"> {
  readonly settings: ReturnType<typeof settingsOf>;
}

/** What tells the configurations apart. */
export function differenceSection(configurations: readonly Configuration[]): Section {
  const paths = differingSettings(configurations.map(({ runs: [run] }) => run.config));
  const rows = configurations.map(({ label, runs: [run] }): Row => ({ label, settings: settingsOf(run.config) }));
  const column = (path: string): Column<Row> => {
    const values = rows.map(({ settings }) => settings.get(path));
    const numeric = values.every(
      (value) => value === undefined || (value.trim() !== "" && Number.isFinite(Number(value))),
    );
    return {
      title: path,
      kind: numeric ? "number" : "text",
      value: ({ settings }) => settings.get(path) ?? null,
      show: ({ settings }) => foreign(unquoted(settings.get(path) ?? "–"), 60),
    };
  };
  return {
    id: "differences",
    title: "What differs",
    body:
      paths.length === 0
        ? later("Nothing but seeds and names: all runs have the same configuration.")
        : markup`${table<Row>({
            id: "difference-table",
            caption: "Settings that are not the same in all configurations",
            columns: [
              { title: "Configuration", value: ({ label }) => label, show: ({ label }) => foreign(label, 60) },
              ...paths.slice(0, shownSettings).map(column),
            ],
            rows,
          })}${paths.length > shownSettings && markup`<p class="note">${paths.length - shownSettings} more settings differ.</p>`}`,
  };
}

/** Of a JSON string its content. */
const unquoted = (json: string): string => json.replace(/^"(.*)"$/s, "$1");
