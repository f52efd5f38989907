import { equalizeLayers } from "../methods/equalize.ts";
import { inverseDeviation } from "../network/nodes/batch-norm.ts";
import { readCheckpoint } from "../runs/checkpoint.ts";
import { runFiles } from "../runs/run-directory.ts";
import { parameterValues } from "../training/snapshot.ts";
import { takeWeights } from "../training/take-weights.ts";
import type { Prepared } from "./prepare.ts";

/**
 * Starts from the weights and statistics of another run, its ranges equalized across layers where that is asked for.
 *
 * @throws UserError when the folder holds no checkpoint of the same network.
 */
export function startFrom(
  { model, plain, trainer }: Pick<Prepared, "model" | "plain" | "trainer">,
  { folder, equalize }: { readonly folder: string; readonly equalize: boolean },
): void {
  takeWeights(model, readCheckpoint(runFiles(folder).checkpoint).tensors, folder);
  if (!equalize) return;
  const epsilons = new Map(
    plain.nodes.flatMap((node) => (node.kind === "batch-norm" ? [[node.id, node.epsilon]] : [])),
  );
  const changed = equalizeLayers(plain, {
    parameters: new Map(Array.from(model.parameters.keys(), (id) => [id, parameterValues(trainer, id)])),
    inverseDeviations: new Map(
      Array.from(model.statistics, ([id, statistics]) => [id, inverseDeviation(statistics, epsilons.get(id)!)]),
    ),
  });
  for (const [id, values] of changed) model.ops.assign(model.parameters.get(id)!, values);
}
