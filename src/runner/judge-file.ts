import type { ActivationBits } from "../config/sections/quantize-settings.ts";
import { UserError } from "../core/errors.ts";
import type { OutputComparison } from "../ptq/compare-outputs.ts";
import type { Costs } from "../ptq/costly-layers.ts";
import { below, describeLoss, type Thresholds, usualThresholds } from "../ptq/judge-outputs.ts";
import type { QuantizedRecord } from "../ptq/quantized-record.ts";

/**
 * What is to be said of the outputs; null: nothing.
 *
 * @throws UserError where an output is below thresholds that were asked for.
 */
export async function judge(
  file: string,
  {
    outputs,
    asked,
    activations,
    measureCosts,
  }: {
    readonly outputs: readonly OutputComparison[];
    readonly asked: Partial<Thresholds>;
    /** As the settings have them. */
    readonly activations: ActivationBits | "budget";
    measureCosts(): Promise<Costs>;
  },
): Promise<QuantizedRecord["loss"]> {
  const thresholds = { ...usualThresholds, ...asked };
  const lacking = below(outputs, thresholds, asked);
  if (lacking.length === 0) return null;
  const costs = await measureCosts();
  const text = describeLoss(lacking, thresholds, { costs, activations });
  if (below(outputs, asked, asked).length > 0) throw new UserError(`${file}: quantized, ${text}; nothing was written`);
  const layers = costs.layers.map((layer) => ({ ...layer, layers: [...layer.layers] }));
  return { ...thresholds, outputs: lacking.map(({ name }) => name), text, ...costs, layers };
}
