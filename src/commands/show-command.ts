import { textTable } from "../core/text-table.ts";
import { viewFolder } from "../runner/run-view.ts";
import { valueText } from "../tasks/metric.ts";
import type { Context } from "./context.ts";

/** `show`: what a run came to, and the bits of its tensors. */
export function runShow({ run }: { readonly run: string }, { json, print }: Pick<Context, "json" | "print">): void {
  const view = viewFolder(run);
  if (json) {
    print(JSON.stringify(view));
    return;
  }
  const { name, status, network, data, method, figures, tensors } = view;
  print(`${name}: ${status}; ${network}${data === null ? "" : ` on ${data}`}, ${method}`);
  for (const { label, value, ...appearance } of figures) print(`  ${label.padEnd(24)}${valueText(appearance, value)}`);
  if (tensors.length === 0) return;
  print("");
  const rows = tensors.map(({ tensor, role, bits, kept }) => [
    tensor,
    role,
    String(bits),
    kept === null ? "–" : String(kept),
  ]);
  for (const line of textTable([["tensor", "role", "bits", "channels kept"], ...rows])) print(line);
}
