import { z } from "zod";
import type { Ops } from "../../../src/engine/ops.ts";
import { uploadRows } from "../../../src/methods/layerwise/layer-error.ts";
import { RoundingLearner } from "../../../src/methods/layerwise/rounding-learner.ts";
import type { FeatureMap } from "../../../src/methods/layerwise/row-collector.ts";
import { betaAt, roundingRegularizer } from "../../../src/quantization/rounding-regularizer.ts";
import { rangeOf, searchGrid } from "../../../src/quantization/scale-search.ts";
import { hardCodes, roundingChoice } from "../../../src/quantization/soft-rounding.ts";
import { affineGrid, decode, rowOf } from "../../../src/quantization/weight-grid.ts";
import { largestDifference, numbers, type Outcome, relativeError, Tally } from "../compare.ts";
import { allRows, channelsLastMap, geometryOf, outputsOf } from "../layers.ts";
import { gridsOf, REAL, tensorError } from "./grids.ts";

const file = z.object({
  bits: z.literal(4),
  iterations: z.number(),
  inputShape: numbers,
  input: numbers,
  layers: z.array(
    z.object({
      kind: z.enum(["conv", "dense"]),
      shape: numbers,
      stride: z.number().default(1),
      pad: z.number().default(0),
      relu: z.boolean(),
      weight: numbers,
      bias: numbers,
    }),
  ),
  runs: z.array(
    z.object({
      step: numbers,
      zero: numbers,
      batches: z.array(numbers),
      cachedInputSum: z.number(),
      cachedInputSquares: z.number(),
      cachedOutputSquares: z.number(),
      loss: numbers,
      reconstruction: numbers,
      V: z.record(z.string(), numbers),
      finalV: numbers,
      finalCodes: numbers,
    }),
  ),
});
type Layer = z.infer<typeof file>["layers"][number];

const REGULARIZATION = 0.01;

/** Flattens channel by channel, as the file's network does before its dense layer. */
function flattened({ values, shape: [batch, height, width, channels] }: FeatureMap): FeatureMap {
  const places = height * width;
  const moved = Float32Array.from({ length: values.length }, (_, index) => {
    const place = index % places;
    const channel = Math.floor(index / places) % channels;
    const image = Math.floor(index / places / channels);
    return values[(image * places + place) * channels + channel]!;
  });
  return { values: moved, shape: [batch, 1, 1, places * channels] };
}

/** Every row of a layer, its outputs by the given weights before the activation, and the map that goes on after it. */
function run(layer: Layer, x: FeatureMap, weights: ArrayLike<number>) {
  const seen = layer.kind === "dense" ? flattened(x) : x;
  const geometry = geometryOf({ ...layer, weightShape: layer.shape, depthwise: false }, seen);
  const outputs = Float32Array.from(outputsOf(allRows(geometry, seen), weights, layer.bias, layer.shape[0]!));
  const after = layer.relu ? outputs.map((value) => Math.max(value, 0)) : outputs;
  const next: FeatureMap = { values: after, shape: [x.shape[0], ...geometry.output, layer.shape[0]!] };
  return { seen, geometry, outputs, next };
}

const sumOf = (values: Float32Array, term: (value: number) => number) =>
  values.reduce((sum, value) => sum + term(value), 0);

/** trajectory.json: 40 steps of each layer with the file's batches; later layers see the rounded ones before them. */
export function checkRoundingTrajectory(content: unknown, ops: Ops): Outcome {
  const tally = new Tally();
  const { bits, iterations, inputShape, input, layers, runs } = file.parse(content);
  let float = channelsLastMap(input, inputShape);
  let quantized = float;
  for (const [index, layer] of layers.entries()) {
    const golden = runs[index]!;
    const outputs = layer.shape[0]!;
    const weight = { values: Float32Array.from(layer.weight), outputs, inputs: layer.weight.length / outputs };
    const target = run(layer, float, layer.weight);
    const { seen, geometry } = run(layer, quantized, layer.weight);
    const rows = allRows(geometry, seen, target.outputs);
    const problem = {
      name: `layer ${index}`,
      weight,
      bias: Float32Array.from(layer.bias),
      bits,
      rectified: layer.relu,
      limit: null,
      rows,
    } as const;
    tally.case((check) => {
      check(
        relativeError(
          sumOf(seen.values, (value) => value),
          golden.cachedInputSum,
        ),
        REAL,
      );
      check(
        relativeError(
          sumOf(seen.values, (value) => value * value),
          golden.cachedInputSquares,
        ),
        REAL,
      );
      check(
        relativeError(
          sumOf(target.next.values, (value) => value * value),
          golden.cachedOutputSquares,
        ),
        REAL,
      );
      golden.step.forEach((step, channel) => {
        const row = rowOf(weight.values, channel, weight.inputs);
        const { low, high } = rangeOf(row, { withZero: false });
        const { grid } = searchGrid(row, (by) => affineGrid(bits, { low: low * by, high: high * by }));
        check(relativeError(grid.step, step), REAL);
        check(Math.abs(-grid.lowest - golden.zero[channel]!), 0);
      });
    });
    const grids = gridsOf({ bits, step: golden.step, zero: golden.zero }, outputs);
    const choice = roundingChoice(weight, grids);
    const v = ops.scope(
      () => {
        const learner = new RoundingLearner(
          ops,
          problem,
          uploadRows(ops, problem),
          { choice, grids },
          {
            learningRate: 1e-3,
            regularization: REGULARIZATION,
            batchSize: golden.batches[0]!.length,
          },
        );
        for (const [iteration, batch] of golden.batches.entries()) {
          const before = learner.values();
          const schedule = { shape: "linear", iterations, warmUp: 0.2, start: 20, end: 2 } as const;
          const beta = betaAt(schedule, iteration);
          const reconstruction = learner.step(Int32Array.from(batch), beta, { measure: true })!;
          const pull = beta === null ? 0 : REGULARIZATION * roundingRegularizer(before, beta);
          tally.case((check) => {
            check(relativeError(reconstruction, golden.reconstruction[iteration]!), REAL);
            check(relativeError(reconstruction + pull, golden.loss[iteration]!), REAL);
            const expected = golden.V[String(iteration)];
            if (expected) check(tensorError(before, expected), REAL);
          });
        }
        const learned = learner.values();
        learner.dispose();
        return learned;
      },
      () => [],
    );
    const codes = hardCodes(choice, v);
    tally.case((check) => {
      check(tensorError(v, golden.finalV), REAL);
      const zeroOf = (position: number) => golden.zero[Math.floor(position / weight.inputs)]!;
      check(
        largestDifference(
          codes.map((code, position) => code + zeroOf(position)),
          golden.finalCodes,
        ),
        0,
      );
    });
    float = target.next;
    quantized = run(layer, quantized, decode(codes, golden.step, weight.inputs)).next;
  }
  return tally;
}
