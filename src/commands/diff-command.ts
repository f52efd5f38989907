import { describeChange } from "../config/changes.ts";
import { compareViews, type ViewDifference } from "../runner/compare-views.ts";
import { type ViewedTensor, viewFolder } from "../runner/run-view.ts";
import { valueText } from "../tasks/metric.ts";
import type { Context } from "./context.ts";

/** `diff`: the settings, figures and bits in which two runs differ. */
export function runDiff(
  { before, after }: { readonly before: string; readonly after: string },
  { json, print }: Pick<Context, "json" | "print">,
): void {
  const difference = compareViews(viewFolder(before), viewFolder(after));
  if (json) print(JSON.stringify({ before, after, ...difference }));
  else for (const line of differenceLines(difference)) print(line);
}

function differenceLines({ settings, figures, tensors }: ViewDifference): readonly string[] {
  const lines = [
    ...section("settings", settings.map(describeChange)),
    ...section(
      "figures",
      figures.map(({ key, before, after }) => {
        const of = (figure: typeof before) => (figure === null ? "none" : valueText(figure, figure.value));
        return `${(before ?? after)?.label ?? key}: ${of(before)} → ${of(after)}`;
      }),
    ),
    ...section(
      "tensors",
      tensors.map(({ tensor, before, after }) => `${tensor}: ${tensorText(before)} → ${tensorText(after)}`),
    ),
  ];
  return lines.length === 0 ? ["no difference in settings, figures and bits"] : lines;
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];

function tensorText(tensor: ViewedTensor | null): string {
  if (tensor === null) return "none";
  return `${tensor.bits} bits${tensor.kept === null ? "" : `, ${tensor.kept} channels`}`;
}
