import { UserError } from "../core/errors.ts";
import { textTable } from "../core/text-table.ts";
import { type FoundRun, findRuns } from "../runner/find-runs.ts";
import { type RunView, viewRun } from "../runner/run-view.ts";
import { figureText, valueText } from "../tasks/metric.ts";
import type { Context } from "./context.ts";

/** A run, or why it cannot be read. */
type Listed = RunView | { readonly run: string; readonly problem: string };

/** `list`: the runs in a folder, a line each; what cannot be read is named with its reason. */
export function runList(
  { folder = "reports" }: { readonly folder?: string | undefined },
  { json, print, reporter }: Pick<Context, "json" | "print" | "reporter">,
): void {
  const listed = findRuns(folder).map(look);
  if (json) {
    print(JSON.stringify({ folder, runs: listed.map(machineForm) }));
    return;
  }
  const runs = listed.filter((one) => "status" in one);
  if (runs.length === 0) print(`no run in ${folder}`);
  else for (const line of textTable([HEADING, ...runs.map(row)])) print(line);
  for (const one of listed) if ("problem" in one) reporter.warn(`${one.run}: ${one.problem}`);
}

function look(found: FoundRun): Listed {
  try {
    return viewRun(found);
  } catch (error) {
    if (error instanceof UserError) return { run: found.folder, problem: error.message };
    throw error;
  }
}

/** Settings and tensors are what `show` is for. */
function machineForm(one: Listed) {
  if ("problem" in one) return one;
  const { settings: _, tensors: __, figures, ...rest } = one;
  return { ...rest, ...Object.fromEntries(figures.map(({ key, value }) => [key, value])) };
}

const HEADING = ["run", "status", "network", "data", "method", "result", "relative BOPs", "bytes"];

function row({ run, status, network, data, method, figures }: RunView): readonly string[] {
  const [main] = figures;
  const textOf = (...keys: readonly string[]) => {
    const figure = figures.find(({ key }) => keys.includes(key));
    return figure === undefined ? "–" : valueText({ ...figure, unit: figure.unit === "%" ? "%" : "" }, figure.value);
  };
  const result = main === undefined ? "–" : figureText(main);
  return [run, status, network, data ?? "–", method, result, textOf("relativeBops"), textOf("packedBytes", "bytes")];
}
