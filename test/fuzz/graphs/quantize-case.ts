import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { QuantizeSettings } from "../../../src/config/quantize-schema.ts";
import { UserError } from "../../../src/core/errors.ts";
import { lookup } from "../../../src/core/lookup.ts";
import { FileSession } from "../../../src/onnx/file-session.ts";
import { encodeModelProto } from "../../../src/onnx/onnx-model.ts";
import { compareOutputs } from "../../../src/ptq/compare-outputs.ts";
import { loadModel } from "../../../src/ptq/load-model.ts";
import { numbersOf } from "../../../src/ptq/output-numbers.ts";
import { Samples } from "../../../src/ptq/samples.ts";
import { quantizeFile } from "../../../src/runner/quantize-file.ts";
import { progressFile } from "../../../src/runner/quantize-progress.ts";
import type { SampledGraph } from "./random-graph.ts";

/** What became of a file: the message that refused it, or null where it was quantized. */
export type Outcome = string | null;

/** No message is longer: names and the runtime's words have their limits. */
const LONGEST_MESSAGE = 2000;

/**
 * Quantizes a file as the command does.
 *
 * @returns Why it was refused; null: there is a file, which the runtime loads.
 * @throws Error that says what is wrong with what was done.
 */
export async function quantizeCase(
  samples: SampledGraph["samples"],
  { folder, settings, leastDb = null }: { folder: string; settings: QuantizeSettings; leastDb?: number | null },
): Promise<Outcome> {
  const out = join(folder, "out");
  rmSync(out, { recursive: true, force: true });
  try {
    await quantizeFile(settings, { folder: out });
  } catch (error) {
    return refusal(error, out);
  }
  const { model } = loadModel(settings.network.file);
  await using float = await FileSession.load(encodeModelProto(model), "the file that went in");
  await using written = await FileSession.load(join(out, "model.onnx"), "the written file");
  const given = samplesFor(float, samples);
  if (given === null) return null;
  if ((await tryRun(float, given)) !== null) return null;
  const failure = await tryRun(written, given);
  if (failure !== null) throw new Error(`the written file does not run: ${failure}`);
  const infinite = await notFinite(float, given);
  const { outputs } = await compareOutputs(float, written, given.batches(given.order(1)));
  for (const { name, finite, sqnrDb, otherSizes } of outputs) {
    if (otherSizes) throw new Error(`"${name}" has other sizes`);
    // Where the file that went in overflows, rounding may decide what else does.
    if (!finite && !infinite.has(name)) throw new Error(`"${name}" is not finite`);
    if (leastDb !== null && sqnrDb !== null && sqnrDb < leastDb) throw new Error(`"${name}" has ${sqnrDb} dB`);
  }
  return null;
}

/** The samples, where they are for these inputs. */
function samplesFor(session: FileSession, samples: SampledGraph["samples"]): Samples | null {
  try {
    return Samples.of(session.inputs, samples, "the samples");
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** The outputs that are not finite on some sample. */
async function notFinite(session: FileSession, samples: Samples): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for await (const { inputs } of samples.batches(samples.order(1))) {
    for (const [name, tensor] of await session.run(inputs))
      if (!numbersOf(tensor).every(Number.isFinite)) found.add(name);
  }
  return found;
}

/** What stands against running a file; null: nothing. */
async function tryRun(session: FileSession, samples: Samples): Promise<string | null> {
  for await (const { inputs } of samples.batches(samples.order(1).subarray(0, 1))) {
    try {
      const results = await session.run(inputs);
      for (const { name } of session.outputs) lookup(results, name);
    } catch (error) {
      return String(error);
    }
  }
  return null;
}

/** Whether nothing stands behind the first line. */
const isEmpty = (log: string): boolean => readFileSync(log, "utf8").split("\n").length <= 2;

function refusal(error: unknown, out: string): string {
  if (!(error instanceof UserError)) throw error;
  const { message } = error;
  if (message.length > LONGEST_MESSAGE) throw new Error(`a message of ${message.length} characters: ${message}`);
  if (message.includes(out) && message.includes("cannot load it"))
    throw new Error(`what was made is refused: ${message}`);
  if (/[\n\r]/.test(message)) throw new Error(`a message of several lines: ${message}`);
  // What a run has found stays, for another that goes on with it.
  const left = readdirSync(out, { recursive: true }).filter(
    (name) => name !== progressFile || isEmpty(join(out, progressFile)),
  );
  if (left.length > 0) throw new Error(`refused, it leaves ${left} behind: ${message}`);
  return message;
}

/** Writes a file, and gives its path. */
export function written(folder: string, name: string, content: Uint8Array): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}
