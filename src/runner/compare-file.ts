import type { ResolvedQuantize } from "../config/quantize-schema.ts";
import { UserError } from "../core/errors.ts";
import type { Watch } from "../core/progress.ts";
import { FileSession } from "../onnx/file-session.ts";
import type { CalibrationData } from "../ptq/calibration-data.ts";
import { compareOutputs, type OutputComparison } from "../ptq/compare-outputs.ts";
import { COST_SAMPLES } from "../ptq/costly-layers.ts";
import { interfaceChange } from "../ptq/interface-change.ts";
import type { QuantizedModel } from "../ptq/quantized-model.ts";
import type { QuantizedRecord } from "../ptq/quantized-record.ts";
import { judge } from "./judge-file.ts";

interface Compared extends Pick<QuantizedRecord, "comparison" | "loss"> {
  readonly notes: readonly string[];
}

/**
 * Loads what is to be written, and holds its outputs against those of the file that went in.
 *
 * @param path Where it will be written, in messages.
 * @param float The file that went in.
 * @throws UserError where the runtime refuses it, an output is not finite, or is below thresholds that were asked for.
 */
export async function compareFile(
  quantized: QuantizedModel,
  {
    path,
    float,
    data,
    config: { network, verify, bits },
    watch,
  }: {
    readonly path: string;
    readonly float: FileSession;
    readonly data: CalibrationData | null;
    readonly config: ResolvedQuantize;
    readonly watch: Watch;
  },
): Promise<Compared> {
  const { file } = network;
  const { minSqnrDb, minAgreement } = verify;
  await using written = await FileSession.load(quantized.encoded, path);
  const change = interfaceChange(float, written);
  if (change !== null) throw new Error(`${file}: quantized, it has other inputs or outputs: ${change}`);
  if (data === null) return { comparison: null, loss: null, notes: [] };
  const { count, batches } = data.compared();
  watch.stage("comparing", count);
  const { samples, outputs } = await compareOutputs(float, written, batches, (done) => watch.done(done));
  if (samples === 0) throw new UserError(`${file}: there is nothing to compare it on: no test image could be read`);
  refuseInfinite(outputs, file);
  const loss = await judge(file, {
    ...{ outputs, activations: bits.activations },
    asked: { ...(minSqnrDb !== undefined && { minSqnrDb }), ...(minAgreement !== undefined && { minAgreement }) },
    measureCosts: async () => quantized.costs(await data.firstCompared(COST_SAMPLES)),
  });
  const isUnclear = data.labelled && outputs.every(({ top1 }) => top1 === null);
  return {
    comparison: { samples, outputs: [...outputs] },
    loss,
    notes: isUnclear ? ["no output has a number for each class of the labels: top-1 is not measured"] : [],
  };
}

function refuseInfinite(outputs: readonly OutputComparison[], file: string): void {
  const wrong = outputs.filter(({ finite }) => !finite);
  if (wrong.length === 0) return;
  const names = wrong.map(({ name }) => JSON.stringify(name)).join(", ");
  throw new UserError(
    `${file}: quantized, its output ${names} is not finite; give its weights more bits (--weights 8), or skip layers`,
  );
}
