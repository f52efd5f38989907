import { lookup } from "../core/lookup.ts";
import { copyGraph } from "./copy-graph.ts";
import type { FileGraph } from "./file-graph.ts";
import { openInside } from "./open-inside.ts";
import type { Calibration } from "./open-weights.ts";
import { numbersOf } from "./output-numbers.ts";

/**
 * The sizes that values have in the first run over samples, and how many samples it has, by one run that gives shapes alone.
 *
 * @param values Of the graph itself, not of its subgraphs.
 */
export async function valueSizes(
  graph: FileGraph,
  values: readonly string[],
  { calibration: { samples, order }, file }: { readonly calibration: Calibration; readonly file: string },
): Promise<{ readonly sizes: ReadonlyMap<string, readonly number[]>; readonly batch: number }> {
  const { graph: probe } = copyGraph(graph);
  const shapes = new Map<string, string>();
  for (const value of new Set(values)) {
    const maker = probe.makerOf(value);
    const options = { output: probe.freeName(`${value}.shape`) };
    const shape =
      maker === null ? probe.addFirst("Shape", [value], options) : probe.addBehind(maker, "Shape", [value], options);
    shapes.set(value, shape);
  }
  const sizes = new Map<string, readonly number[]>();
  const names = [...shapes.values()];
  let size = samples.batchSize;
  if (names.length === 0) return { sizes, batch: size };
  await using session = await openInside(probe.preview(), names, file);
  for await (const { inputs, batch } of samples.batches(order.subarray(0, samples.batchSize))) {
    const results = await session.run(inputs, names);
    size = batch;
    for (const [value, shape] of shapes) sizes.set(value, [...numbersOf(lookup(results, shape))]);
  }
  return { sizes, batch: size };
}
