import { z } from "zod";
import { toEnd } from "../../../src/core/stepwise.ts";
import { Gram } from "../../../src/quantization/gram.ts";
import { mapBlocks, metricOf } from "../../../src/quantization/product/block-metric.ts";
import { roll, unroll } from "../../../src/quantization/product/blocks.ts";
import { clusterBlocks, type Split } from "../../../src/quantization/product/cluster-blocks.ts";
import { largestDifference, numbers, type Outcome, Tally } from "../compare.ts";
import { allRows, channelsLastMap, geometryOf } from "../layers.ts";

const split = z.object({ empty_cluster_chosen: z.int(), standard_normal_noise: numbers });
const matrix = z.array(numbers);
/** Numbers at any depth, row by row. */
const flat = z.array(z.unknown()).transform((nested) => numbers.parse(nested.flat(Number.POSITIVE_INFINITY)));

const file = z.object({
  weight_shape: numbers,
  weight: flat,
  activations_shape: numbers,
  activations: flat,
  stride: numbers,
  padding: numbers,
  block_size: z.int(),
  n_centroids: z.int(),
  eps: z.number(),
  unrolled_weight: matrix,
  patch_row_indices: numbers,
  A: matrix,
  A_eval: matrix,
  initial_centroids: matrix,
  iterations: z.array(
    z.object({
      splits: z.array(split),
      assignments: numbers,
      centroids: matrix,
      objective: z.number(),
    }),
  ),
  reconstructed_weight: flat,
});
type Golden = z.infer<typeof file>;

/** What the figures' float32 leaves of their digits. */
const REAL = 1e-5;
/** Rows of the objective, also where there are fewer. */
const OBJECTIVE_ROWS = 128;

/** em_*.json: layout, distances, codes, centroids and the logged objective of each iteration, with its splits. */
export function checkClustering(content: unknown): Outcome {
  const golden = file.parse(content);
  const { block_size: blockSize, iterations } = golden;
  const [outputs = 1] = golden.weight_shape;
  const weight = { values: Float32Array.from(golden.weight), outputs, inputs: golden.weight.length / outputs };
  const blocks = unroll(weight, blockSize);
  const metric = metricOf(gramOf(golden.A), blockSize);
  const evaluated = metricOf(gramOf(golden.A_eval.slice(0, OBJECTIVE_ROWS)), blockSize);
  const tally = new Tally();
  tally.case((check) => {
    check(largestDifference(blocks.values, transposed(golden.unrolled_weight).flat()), 0);
    check(largestDifference(patchesOf(golden), golden.A.flat()), 1e-6);
  });
  for (const [index, { assignments, centroids, objective }] of iterations.entries()) {
    tally.case((check) => {
      const { product } = toEnd(
        clusterBlocks(blocks, {
          ...{
            metrics: [metric],
            centroids: golden.n_centroids,
            iterations: index + 1,
            projects: true,
            seed: 0,
            name: "golden",
          },
          ...{ initial: golden.initial_centroids.flat(), split: splitsOf(golden) },
        }),
      );
      check(largestDifference(product.codes, assignments), 0);
      check(largestDifference(product.codebook, centroids.flat()), REAL);
      const off = roll(product, weight).map((value, place) => value - weight.values[place]!);
      const seen = mapBlocks(evaluated.root, off, blockSize).reduce((sum, value) => sum + value * value, 0);
      check(Math.abs(Math.sqrt(seen / (OBJECTIVE_ROWS * blocks.count)) - objective), REAL);
      if (index === iterations.length - 1)
        check(largestDifference(roll(product, weight), golden.reconstructed_weight), REAL);
    });
  }
  return tally;
}

function gramOf(rows: readonly (readonly number[])[]): Float64Array {
  const gram = new Gram(rows[0]!.length, 0);
  gram.add(Float32Array.from(rows.flat()), new Float32Array(0));
  return gram.finish().products;
}

/** The figures' own splits in turn: half of the most populated cluster, of several the one whose block comes first. */
function splitsOf({ iterations, eps, block_size: blockSize }: Golden): Split {
  const splits = iterations.flatMap(({ splits }) => splits);
  return ({ centroids, codes, counts }, attempt) => {
    const { empty_cluster_chosen: empty, standard_normal_noise: noise } = splits[attempt]!;
    const largest = codes.reduce((most, code) => (counts[code]! > counts[most]! ? code : most), codes[0]!);
    for (let row = 0; row < blockSize; row++) {
      const centre = centroids[largest * blockSize + row]!;
      centroids[empty * blockSize + row] = centre + eps * noise[row]!;
      centroids[largest * blockSize + row] = centre - eps * noise[row]!;
    }
  };
}

/** A as this program gathers it: chosen patches, cut, one piece's rows under another's; the batch varies fastest there. */
function patchesOf(golden: Golden): number[] {
  const map = channelsLastMap(golden.activations, golden.activations_shape);
  const [stride = 1] = golden.stride;
  const [pad = 0] = golden.padding;
  const geometry = geometryOf({ weightShape: golden.weight_shape, depthwise: false, stride, pad }, map);
  const rows = allRows(geometry, map);
  const width = rows.inputs.length / (rows.samples * rows.positions);
  const pieces = width / golden.block_size;
  return Array.from({ length: pieces }, (_, piece) =>
    golden.patch_row_indices.map((row) => {
      const place = (row % rows.samples) * rows.positions + Math.floor(row / rows.samples);
      const start = place * width + piece * golden.block_size;
      return [...rows.inputs.subarray(start, start + golden.block_size)];
    }),
  ).flat(2);
}

const transposed = (rows: readonly (readonly number[])[]): number[][] =>
  rows[0]!.map((_, column) => rows.map((row) => row[column]!));
