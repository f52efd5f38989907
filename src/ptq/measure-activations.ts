import type { Watch } from "../core/progress.ts";
import type { ActivationWidths } from "./activation-widths.ts";
import type { HarmTable } from "./harm-table.ts";
import { type Memo, recalled } from "./memo.ts";
import type { OutputError } from "./output-error.ts";

/**
 * Measures what each width of each activation does to the network's outputs, all weights and all other activations in
 * float. What follows a convolution onto a grid of 8 bits is a part of that.
 */
export async function measureActivations(
  { values, widths, gridsAt }: ActivationWidths,
  { error, memo, watch }: { readonly error: OutputError; readonly memo: Memo; readonly watch: Watch },
): Promise<HarmTable["activations"]> {
  const activations: HarmTable["activations"] = [];
  watch.stage("measuring activations", values.length);
  for (const [item, name] of values.entries()) {
    await watch.done(item, name);
    const choices: HarmTable["activations"][number]["choices"] = [];
    for (const bits of widths) {
      const alone = values.map((_, other) => (other === item ? bits : 32));
      const measure = () => error.with(new Map(), gridsAt(alone));
      const harm = bits === 32 ? 0 : await recalled(memo, `activation ${bits} ${name}`, measure);
      choices.push({ bits, harm });
    }
    activations.push({ name, choices });
  }
  return activations;
}
