import { lookup } from "../core/lookup.ts";
import type { FileSession } from "../onnx/file-session.ts";
import type { Model } from "../onnx/onnx-model.ts";
import { ActivationStatistics } from "./activation-grid.ts";
import { BYTES_AT_ONCE, openInside } from "./open-inside.ts";
import type { Calibration } from "./open-weights.ts";
import { bytesOf } from "./output-numbers.ts";

/**
 * What values of a model are on samples: first their ends, in one pass, then how often each size occurs, in another.
 *
 * @param options.atOnce Bytes of the values that a run may give, where it has more than one sample.
 */
export async function calibrate(
  model: Model,
  {
    values,
    calibration,
    file,
    atOnce = BYTES_AT_ONCE,
  }: {
    readonly values: readonly string[];
    readonly calibration: Calibration;
    readonly file: string;
    readonly atOnce?: number;
  },
): Promise<ReadonlyMap<string, ActivationStatistics>> {
  const statistics = new Map(values.map((name) => [name, new ActivationStatistics()]));
  const inputs = new Set(model.graph.input.map(({ name }) => name));
  const inside = values.filter((name) => !inputs.has(name));
  const { samples, order } = calibration;
  await using session = await openInside(model, inside, file);
  const most = inside.length > 0 ? await samplesOfRun(session, inside, { calibration, atOnce }) : 1;
  const pass = async (see: (statistics: ActivationStatistics, numbers: Float32Array) => void) => {
    for await (const batch of samples.batches(order, most)) {
      const results = inside.length > 0 ? await session.run(batch.inputs, inside) : new Map();
      for (const name of values) {
        const data = (results.get(name) ?? batch.inputs[name])?.data;
        if (data instanceof Float32Array) see(lookup(statistics, name), data);
      }
    }
  };
  await pass((statistics, numbers) => statistics.addEnds(numbers));
  await pass((statistics, numbers) => statistics.addCounts(numbers));
  return statistics;
}

/** How many samples a run may have for its values to stay within so many bytes, as far as one sample shows. */
async function samplesOfRun(
  session: FileSession,
  values: readonly string[],
  { calibration: { samples, order }, atOnce }: { readonly calibration: Calibration; readonly atOnce: number },
): Promise<number> {
  let bytes = 0;
  for await (const { inputs, batch } of samples.batches(order.subarray(0, 1), 1))
    bytes = bytesOf(await session.run(inputs, values)) / batch;
  return Math.max(1, Math.floor(atOnce / bytes));
}
