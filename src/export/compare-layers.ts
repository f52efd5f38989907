import type { ExportInput } from "../config/sections/export-settings.ts";
import { at, last } from "../core/elements.ts";
import { UserError } from "../core/errors.ts";
import { lookup } from "../core/lookup.ts";
import type { Ops, Tensor } from "../engine/ops.ts";
import type { Verification } from "../runs/record.ts";
import { CodeComparison } from "./compare-codes.ts";
import { ExactValues } from "./exact-values.ts";
import type { FileRuntime } from "./file-runtime.ts";
import { floatError } from "./float-error.ts";
import type { FrozenNetwork } from "./frozen-network.ts";
import { layerGroups } from "./layer-groups.ts";
import type { FileValue, Lowered } from "./onnx/model-frame.ts";
import { toChannelsLast } from "./onnx/value-layout.ts";
import { Reference } from "./reference.ts";
import type { RuntimeValues } from "./runtime.ts";
import { batchOf, floats, type TestBatch, type TestImages } from "./test-batches.ts";

/** Images that are compared layer by layer. */
const IMAGES = 500;
const BATCH = 100;

export interface CompareLayersOptions {
  /** The file's name in messages. */
  readonly file: string;
  readonly runtime: FileRuntime;
  readonly lowered: Pick<Lowered, "network" | "values">;
  readonly input: ExportInput;
  readonly test: TestImages;
  readonly ops: Ops;
}

/**
 * Compares a file with the trainer's kernels layer by layer, each on the runtime's own inputs.
 *
 * @throws UserError that names the first layer that differs.
 */
export async function compareLayers(options: CompareLayersOptions): Promise<Verification["layers"]> {
  const { file, lowered, ops, test, runtime } = options;
  const { network } = lowered;
  const groups = layerGroups(network).map((group) => {
    const end = last(group.nodes);
    return { ...group, end, comparison: new CodeComparison(group.name, end, floatError(group), runtime.rounding) };
  });
  const shown = groups.map(({ end }) => lookup(lowered.values, end.id).name);
  const reference = new Reference(ops, network);
  const exact = new ExactValues(network.nodes, { magnitudes: false });
  const first = at(network.nodes, 0);
  const termsOf = magnitudesOf(network);
  const magnitudes = new ExactValues(network.nodes, { magnitudes: true });
  const model = await runtime.load(shown);
  try {
    for await (const batch of test.batches({ batchSize: BATCH, limit: IMAGES })) {
      if (groups.some(({ comparison }) => comparison.settled)) break;
      if (batch.count === 0) continue;
      const images = batchOf(batch, { ...options, ...runtime, network });
      const results = await model.run(images.forFile, images.shape);
      const shownValue = (id: string): TestBatch["normalized"] => {
        const node = network.nodes.find((node) => node.id === id)!;
        if (node.kind === "input") return images.normalized;
        const value = lookup(lowered.values, id);
        const values = decoded(lookup(results, value.name), value);
        return runtime.channelsLast ? values : toChannelsLast(network, node, values);
      };
      const withMagnitudes = (known: ReadonlyMap<string, TestBatch["normalized"]>) =>
        known.has(first.id) ? new Map([...known, [first.id, images.normalized.map(termsOf)]]) : known;
      for (const { from, nodes, end, comparison } of groups) {
        ops.scope(
          () => {
            const known = new Map(from.map(({ id }) => [id, shownValue(id)]));
            const values = new Map<string, Tensor>();
            for (const { id, outputShape } of from) {
              values.set(id, ops.tensor(lookup(known, id), [images.count, ...outputShape]));
            }
            for (const node of nodes) {
              const inputs = node.inputs.map((id) => lookup(values, id));
              values.set(node.id, reference.evaluateNode(node, inputs));
            }
            comparison.add({
              runtime: Float32Array.from(shownValue(end.id)),
              reference: floats(ops, lookup(values, end.id)),
              exact: exact.of(at(end.inputs, 0), known),
              magnitude: magnitudes.of(at(end.inputs, 0), known, withMagnitudes(known)),
            });
          },
          () => [],
        );
      }
    }
  } finally {
    await model.release();
    reference.release();
  }
  for (const { comparison, name, end } of groups) {
    if (!comparison.agrees) throw disagreement(`${file}: ${runtime.name}`, name, end.id, comparison);
  }
  return groups.map(({ comparison }) => comparison.result);
}

/** The magnitudes of what a normalised pixel is the difference of, pixel·scale and shift; a token is what it is. */
function magnitudesOf({ normalization }: FrozenNetwork): (x: number) => number {
  if (normalization === null) return Math.abs;
  const { mean, deviation } = normalization;
  const shift = Math.max(...mean.map((value, channel) => Math.abs(value / deviation[channel]!)));
  return (x) => Math.abs(x) + 2 * shift;
}

const decoded = (values: RuntimeValues, { scale, zeroPoint }: FileValue): Float32Array =>
  values instanceof Float32Array ? values : Float32Array.from(values, (code) => (code - zeroPoint) * scale!);

/** @param who File and runtime. */
function disagreement(who: string, layer: string, value: string, comparison: CodeComparison): UserError {
  const { equalCodes, largestDifference, elements, boundaryDistance = 0 } = comparison.result;
  const different = Math.round(elements * (1 - equalCodes / 100));
  return new UserError(
    `${who} disagrees with the trainer, first at layer ${layer} (value ${value}): ${different} of the ` +
      `first ${elements} codes differ, ${comparison.unexplained} of them by more than rounding can, by up to ${largestDifference} ` +
      `(at most 1 expected), where values lie up to ${boundaryDistance.toPrecision(2)} steps from a rounding boundary. The ` +
      "file holds what was trained, so this runtime computes it differently on this processor: export another form " +
      "(--form), or fewer bits where it has 16.",
  );
}
