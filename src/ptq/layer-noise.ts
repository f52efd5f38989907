import { lookup } from "../core/lookup.ts";
import { elementsOf } from "../graph/shape.ts";
import type { NodeProto } from "../onnx/generated/onnx_pb.ts";
import type { Model } from "../onnx/onnx-model.ts";
import { copyGraph } from "./copy-graph.ts";
import type { FileGraph } from "./file-graph.ts";
import { BYTES_AT_ONCE, openInside } from "./open-inside.ts";
import type { Calibration } from "./open-weights.ts";
import { countedOf } from "./output-numbers.ts";
import { outputOf } from "./quantized-values.ts";
import { SignalSums } from "./signal-sums.ts";
import { valueSizes } from "./value-sizes.ts";
import type { WeightSite } from "./weight-site.ts";

/** How a layer's output in the written file compares with that in the file that went in. */
export interface LayerNoise {
  /** Signal-to-noise ratio; null: not one number differs, or there is nothing to compare. */
  readonly sqnrDb: number | null;
  /** Whether not one number differs. */
  readonly same: boolean;
}

/** Samples that this is measured on. */
export const NOISE_SAMPLES = 16;

const UNKNOWN: LayerNoise = { sqnrDb: null, same: false };

/**
 * What measures, layer by layer, how far the written file is from the one that went in, all layers before it quantized
 * too. Compared is what a layer hands on: its output, behind a batch normalization that has become a part of it and behind
 * the ReLU or Clip that alone reads it; in the written file on its grid, where it has one. That value has one name in both
 * files.
 *
 * @param graph As it is before anything is written into it; it may change afterwards.
 * @returns What gives, for each site, its noise, of `written`, which was made of `graph`.
 */
export function noiseMeter(
  graph: FileGraph,
  { sites, file }: { readonly sites: readonly WeightSite[]; readonly file: string },
): (written: Model, calibration: Calibration) => Promise<readonly LayerNoise[]> {
  const { graph: float } = copyGraph(graph);
  // What is made inside of a subgraph is not to be had, and may be called as a value outside.
  const values = sites.map(({ node, inner }) => (inner ? "" : handedOn(graph, node)));
  return async (written, calibration) => {
    const made = new Set(written.graph.node.flatMap(({ output }) => output));
    const wanted = [...new Set(values)].filter((name) => name !== "" && made.has(name));
    const found = new Map<string, LayerNoise>();
    for (const group of await groupsOf(float, wanted, { calibration, file })) {
      for (const [name, noise] of await noisesOf(float.model, written, { values: group, calibration, file }))
        found.set(name, noise);
    }
    return values.map((name) => found.get(name) ?? UNKNOWN);
  };
}

/** The value that is compared; a recurrent node's first output may be left out. */
function handedOn(graph: FileGraph, node: NodeProto): string {
  const first = node.output.find((name) => name !== "") ?? "";
  return first === node.output[0] ? outputOf(graph, node) : first;
}

interface MeasureOptions {
  readonly calibration: Calibration;
  readonly file: string;
}

async function noisesOf(
  float: Model,
  written: Model,
  { values, calibration: { samples, order }, file }: MeasureOptions & { readonly values: readonly string[] },
): Promise<ReadonlyMap<string, LayerNoise>> {
  const sums = new Map(values.map((name) => [name, new SignalSums()]));
  await using expected = await openInside(float, values, file);
  await using got = await openInside(written, values, `${file}, quantized`);
  for await (const { inputs, ...run } of samples.batches(order)) {
    const [theirs, ours] = [await expected.run(inputs, values), await got.run(inputs, values)];
    for (const [name, one] of sums) {
      const [y, other] = [lookup(theirs, name), lookup(ours, name)];
      // How many boxes or words there are may depend on the numbers: then there is nothing to compare.
      if (`${y.dims}` !== `${other.dims}`) sums.delete(name);
      else one.add(countedOf(y, run), countedOf(other, run));
    }
  }
  return new Map(Array.from(sums, ([name, { sqnrDb, same, finite }]) => [name, finite ? { sqnrDb, same } : UNKNOWN]));
}

/** Values in their order, in groups that are held at once. */
async function groupsOf(
  float: FileGraph,
  values: readonly string[],
  options: MeasureOptions,
): Promise<readonly (readonly string[])[]> {
  // More layers take a pass of their own.
  const { sizes } = await valueSizes(float, values, options);
  // Of float32 tensors.
  const bytes = Array.from(sizes, ([value, shape]) => ({ value, bytes: 4 * elementsOf(shape) }));
  return inGroups(bytes, BYTES_AT_ONCE);
}

/** Values in their order, each group as long as it stays within so many bytes; a larger value has one of its own. */
export function inGroups(
  sizes: readonly { readonly value: string; readonly bytes: number }[],
  atOnce: number,
): readonly (readonly string[])[] {
  const groups: string[][] = [];
  let left = 0;
  for (const { value, bytes } of sizes) {
    const last = groups.at(-1);
    if (last !== undefined && bytes <= left) last.push(value);
    else {
      groups.push([value]);
      left = atOnce;
    }
    left -= bytes;
  }
  return groups;
}
