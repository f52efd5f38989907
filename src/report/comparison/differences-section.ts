import { foreign, type Markup, markup, trusted } from "../page/markup.ts";
import { later, type Section } from "../page/section.ts";
import { type Column, table } from "../page/table.ts";
import { type Configuration, differingSettings, settingsOf } from "./configurations.ts";
import type { NumberOf } from "./run-numbers.ts";

/** More settings than this make a table nobody reads; the runs' own reports have them all. */
const shownSettings = 40;

/** Up to so many configurations stand beside each other, as columns of a table that needs no scrolling. */
const columnConfigurations = 5;

/** A configuration with what it sets. */
interface Row extends Configuration {
  readonly settings: ReturnType<typeof settingsOf>;
}

/** What tells the configurations apart. */
export function differenceSection(configurations: readonly Configuration[], numberOf: NumberOf): Section {
  const paths = differingSettings(configurations.map(({ runs: [run] }) => run.config));
  const shown = paths.slice(0, shownSettings);
  const rows = configurations.map((one): Row => ({ ...one, settings: settingsOf(one.runs[0].config) }));
  return {
    id: "differences",
    title: "What differs",
    body:
      paths.length === 0
        ? later("Nothing but seeds and names: all runs have the same configuration.")
        : markup`${rows.length <= columnConfigurations ? bySetting(rows, shown) : byConfiguration(rows, shown, numberOf)}${paths.length > shownSettings && markup`<p class="note">${paths.length - shownSettings} more settings differ.</p>`}`,
  };
}

const frame = { id: "difference-table", caption: "Settings that are not the same in all configurations", pinned: true };

const nameColumn: Column<Row> = {
  title: "Configuration",
  value: ({ label }) => label,
  show: ({ label }) => foreign(label, 60),
};

const bySetting = (configurations: readonly Row[], paths: readonly string[]): Markup =>
  table<string>({
    ...frame,
    columns: [
      { title: "Setting", value: (path) => path, show: broken },
      ...configurations.map(
        ({ label, settings }): Column<string> => ({
          title: label,
          heading: foreign(label, 60),
          value: (path) => settings.get(path) ?? null,
          show: (path) => valueText(settings.get(path)),
        }),
      ),
    ],
    rows: paths,
  });

const byConfiguration = (rows: readonly Row[], paths: readonly string[], numberOf: NumberOf): Markup =>
  table<Row>({
    ...frame,
    columns: [nameColumn, ...paths.map((path) => settingColumn(path, rows))],
    rows,
    runsOf: ({ runs }) => runs.map(numberOf),
  });

function settingColumn(path: string, rows: readonly Row[]): Column<Row> {
  const values = rows.map(({ settings }) => settings.get(path));
  const numeric = values.every(
    (value) => value === undefined || (value.trim() !== "" && Number.isFinite(Number(value))),
  );
  return {
    title: path,
    heading: broken(path),
    kind: numeric ? "number" : "text",
    value: ({ settings }) => settings.get(path) ?? null,
    show: ({ settings }) => valueText(settings.get(path)),
  };
}

/** A path that may be broken after its dots; names of tensors in it are from outside. */
function broken(path: string): Markup {
  const parts = path.split(".");
  return markup`<bdi>${parts.map((part, index) => markup`${part}${index < parts.length - 1 && trusted(".<wbr>")}`)}</bdi>`;
}

const valueText = (value: string | undefined): Markup => foreign(unquoted(value ?? "–"), 60);

/** Of a JSON string its content. */
const unquoted = (json: string): string => json.replace(/^"(.*)"$/s, "$1");
