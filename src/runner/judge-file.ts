import { UsageError, UserError } from "../core/errors.ts";
import type { OutputComparison } from "../ptq/compare-outputs.ts";
import type { Costs } from "../ptq/costly-layers.ts";
import { below, describeLoss, noThresholds, type Thresholds, usualThresholds } from "../ptq/judge-outputs.ts";
import type { QuantizedRecord } from "../ptq/quantized-record.ts";

/**
 * What is to be said of the outputs; null: nothing.
 *
 * @throws UsageError where thresholds are asked for and there is no data; UserError where an output is below them.
 */
export async function judge(
  file: string,
  {
    outputs,
    asked,
    measureCosts,
  }: {
    outputs: readonly OutputComparison[];
    asked: Partial<Thresholds>;
    measureCosts: (() => Promise<Costs>) | null;
  },
): Promise<QuantizedRecord["loss"]> {
  if (measureCosts === null) {
    if (Object.keys(asked).length === 0) return null;
    throw new UsageError("thresholds are held against samples: give some with --data, as --data samples.npz");
  }
  const thresholds = { ...usualThresholds, ...asked };
  const lacking = below(outputs, thresholds);
  if (lacking.length === 0) return null;
  const costs = await measureCosts();
  const text = describeLoss(lacking, thresholds, costs);
  if (below(outputs, { ...noThresholds, ...asked }).length > 0)
    throw new UserError(`${file}: quantized, ${text}; nothing was written`);
  const layers = costs.layers.map((layer) => ({ ...layer, layers: [...layer.layers] }));
  return { ...thresholds, outputs: lacking.map(({ name }) => name), text, ...costs, layers };
}
