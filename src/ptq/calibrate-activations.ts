import { create } from "@bufbuild/protobuf";
import { lookup } from "../core/lookup.ts";
import { encodeModel } from "../onnx/encode-model.ts";
import { FileSession } from "../onnx/file-session.ts";
import { ValueInfoProtoSchema } from "../onnx/generated/onnx_pb.ts";
import { type Model, withGraph } from "../onnx/onnx-model.ts";
import { ActivationStatistics } from "./activation-grid.ts";
import type { Samples } from "./samples.ts";

/** A session of the model that gives values of its inside too. */
export function openInside(
  model: Model,
  values: readonly string[],
  file: string,
  threads?: number,
): Promise<FileSession> {
  const { graph } = model;
  const known = new Set([...graph.output, ...graph.input].map(({ name }) => name));
  const added = values.filter((name) => !known.has(name)).map((name) => create(ValueInfoProtoSchema, { name }));
  const encoded = encodeModel(withGraph(model, { output: [...graph.output, ...added] }));
  // Values of the inside would be lost to the optimizer's larger kernels.
  return FileSession.load(encoded, file, { optimization: "basic", ...(threads !== undefined && { threads }) });
}

/**
 * What values of a model are on samples: first their ends, in one pass, then how often each size occurs, in another.
 *
 * @param order Which samples.
 */
export async function calibrate(
  model: Model,
  { values, samples, order, file }: { values: readonly string[]; samples: Samples; order: Uint32Array; file: string },
): Promise<ReadonlyMap<string, ActivationStatistics>> {
  const statistics = new Map(values.map((name) => [name, new ActivationStatistics()]));
  const inputs = new Set(model.graph.input.map(({ name }) => name));
  const inside = values.filter((name) => !inputs.has(name));
  await using session = await openInside(model, inside, file);
  const pass = async (see: (statistics: ActivationStatistics, numbers: Float32Array) => void) => {
    for await (const batch of samples.batches(order)) {
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
