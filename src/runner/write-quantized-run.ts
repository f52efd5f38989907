import { rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { quantizeYaml } from "../config/canonical.ts";
import { makeFolder, writeFileAtomically } from "../core/atomic-file.ts";
import { sha256Of } from "../core/file-hash.ts";
import { type EncodedModel, inOneFile } from "../onnx/encode-model.ts";
import type { QuantizedBits } from "../ptq/quantized-bits.ts";
import type { QuantizedRecord } from "../ptq/quantized-record.ts";
import { writeQuantizedReport } from "../report/quantized/write-quantized-report.ts";
import { copyCompanions, type QuantizedPlaces } from "./quantized-places.ts";

/** What a run has come to, before it is written. */
export interface QuantizedRun {
  readonly places: QuantizedPlaces;
  readonly record: Omit<QuantizedRecord, "files">;
  readonly model: EncodedModel;
  readonly bits: QuantizedBits;
}

/**
 * Writes all files of a run, the record last: it says that the run is whole. A killed process leaves no record beside
 * another's model.
 *
 * @returns The record, with the hashes of what was written.
 * @throws UserError that names the file that cannot be written.
 */
export function writeQuantizedRun(folder: string, { places, record, model, bits }: QuantizedRun): QuantizedRecord {
  rmSync(join(folder, places.record), { force: true });
  if (places.companions !== null) copyCompanions(places.companions, folder);
  const { weights } = places;
  const { bytes, beside } = inOneFile(model, basename(weights));
  const contents: readonly (readonly [path: string, content: readonly Uint8Array[]])[] = [
    ...(beside.length > 0 ? [[weights, beside] as const] : []),
    [places.model, [bytes]],
    [places.bits, [Buffer.from(`${JSON.stringify(bits, null, 2)}\n`)]],
    [places.settings, [Buffer.from(quantizeYaml(record.settings, places.settings))]],
  ];
  // Of another one that this takes the place of.
  if (beside.length === 0) rmSync(join(folder, weights), { force: true });
  const files = contents.map(([path, content]) => {
    const whole = join(folder, path);
    makeFolder(dirname(whole));
    writeFileAtomically(whole, content);
    return { path, bytes: lengthOf(content), sha256: sha256Of(content) };
  });
  const finished = { ...record, files };
  writeQuantizedReport(finished, join(folder, places.report));
  writeFileAtomically(join(folder, places.record), `${JSON.stringify(finished, null, 2)}\n`);
  return finished;
}

const lengthOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 0);
