import { z } from "zod";
import { channelSums } from "../../../src/methods/layerwise/layer-grams.ts";
import { descendDigits, stitched } from "../../../src/quantization/bit-split/digit-descent.ts";
import { pointShift, split } from "../../../src/quantization/bit-split/digits.ts";
import { leastSquaresCodes } from "../../../src/quantization/bit-split/least-squares-step.ts";
import { Gram } from "../../../src/quantization/gram.ts";
import { largestMagnitude } from "../../../src/quantization/scale-search.ts";
import { nearestCode, outermostCode, rowOf } from "../../../src/quantization/weight-grid.ts";
import { largestDifference, numbers, type Outcome, relativeError, Tally } from "../compare.ts";
import { allRows, channelsLastMap, geometryOf, outputsOf } from "../layers.ts";
import { joined } from "./weights.ts";

const file = z.object({
  cases: z.array(
    z.object({
      kind: z.enum(["conv", "dense", "depthwise"]),
      weightShape: numbers,
      weight: numbers,
      inputShape: numbers,
      input: numbers,
      stride: z.number().default(1),
      pad: z.number().default(0),
      targetInput: numbers.nullable(),
      results: z.array(
        z.object({
          bits: z.number(),
          stages: z.array(
            z.object({
              epochs: z.number(),
              planes: z.array(numbers),
              codes: numbers,
              alpha: numbers,
              step: numbers,
              responseError: z.number(),
            }),
          ),
          nearestError: z.number(),
          nearestMaxScaleError: z.number(),
          ofwaError: z.number(),
          signalEnergy: z.number(),
        }),
      ),
    }),
  ),
});

const REAL = 1e-9;

/** The sums of each group: patches of the input against the float layer's outputs, in double precision. */
function grams(golden: z.infer<typeof file>["cases"][number]): readonly Gram[] {
  const x = channelsLastMap(golden.input, golden.inputShape);
  const geometry = geometryOf({ ...golden, depthwise: golden.kind === "depthwise" }, x);
  const rows = allRows(geometry, x);
  const seen = golden.targetInput ? allRows(geometry, channelsLastMap(golden.targetInput, golden.inputShape)) : rows;
  const [outputs] = golden.weightShape as [number];
  const y = outputsOf(seen, golden.weight, null, outputs);
  const inputs = golden.weight.length / outputs;
  const count = rows.samples * rows.positions;
  return Array.from({ length: rows.groups }, (_, group) => {
    const gram = new Gram(inputs, outputs / rows.groups);
    gram.add(rowOf(rows.inputs, group, count * inputs), rowOf(y, group, (count * outputs) / rows.groups));
    return gram.finish();
  });
}

/** response.json: the digits' descent on the layer's output, after so many epochs as the file says. */
export function checkResponse(content: unknown): Outcome {
  const tally = new Tally();
  for (const golden of file.parse(content).cases) {
    const sums = grams(golden);
    const outputs = golden.weightShape[0]!;
    const rows = Array.from({ length: outputs }, (_, row) =>
      rowOf(Float32Array.from(golden.weight), row, golden.weight.length / outputs),
    );
    const channels = rows.map((_, output) => channelSums(sums, output));
    for (const { bits, stages, ...errors } of golden.results) {
      const starts = rows.map((row) => leastSquaresCodes(row, bits));
      const descend = (epochs: number) =>
        starts.map(({ codes, step }, output) =>
          descendDigits(channels[output]!, { planes: split(codes, bits), alpha: step * pointShift(bits) }, { epochs }),
        );
      const total = (ends: readonly { readonly error: number }[]) => ends.reduce((sum, { error }) => sum + error, 0);
      tally.case((check) => {
        check(relativeError(total(descend(0)), errors.nearestError), REAL);
        check(relativeError(total(descend(0)), errors.ofwaError), REAL);
        check(
          relativeError(
            channels.reduce((sum, { energy }) => sum + energy, 0),
            errors.signalEnergy,
          ),
          REAL,
        );
        const highest = outermostCode(bits);
        const atMaxScale = rows.map((row, output) => {
          const step = largestMagnitude(row) / highest;
          const codes = row.map((value) => nearestCode(value, { step, lowest: -highest, highest }));
          const start = { planes: split(codes, bits), alpha: step * pointShift(bits) };
          return descendDigits(channels[output]!, start, { epochs: 0 });
        });
        check(relativeError(total(atMaxScale), errors.nearestMaxScaleError), REAL);
      });
      for (const stage of stages) {
        const ends = descend(stage.epochs);
        tally.case((check) => {
          const codes = ends.flatMap((end) => [...stitched(end).codes]);
          check(largestDifference(codes, stage.codes), 0);
          stage.planes.forEach((expected, plane) => {
            check(largestDifference(joined(ends, plane), expected), 0);
          });
          ends.forEach((end, output) => {
            check(relativeError(end.alpha, stage.alpha[output]!), REAL);
            check(relativeError(stitched(end).step, stage.step[output]!), REAL);
          });
          check(relativeError(total(ends), stage.responseError), REAL);
        });
      }
    }
  }
  return tally;
}
