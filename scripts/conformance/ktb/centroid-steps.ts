import { z } from "zod";
import { clusterMeans, roll, unroll } from "../../../src/quantization/product/blocks.ts";
import { divergenceFrom } from "../../../src/tasks/distillation/divergence-from.ts";
import { HostOptimizer } from "../../../src/training/optimizer.ts";
import { largestDifference, numbers, type Outcome, Tally } from "../compare.ts";

const matrix = z.array(numbers);
/** Numbers at any depth, row by row. */
const flat = z.array(z.unknown()).transform((nested) => numbers.parse(nested.flat(Number.POSITIVE_INFINITY)));

const steps = z.object({
  cases: z.array(
    z.object({
      block_size: z.int(),
      lr: z.number(),
      momentum: z.number(),
      dampening: z.literal(0),
      weight_decay: z.number(),
      nesterov: z.boolean(),
      weight_shape: numbers,
      initial_centroids: matrix,
      assignments: numbers,
      initial_weight: flat,
      steps: z.array(z.object({ gradient: flat, weight_after: flat, centroids_after: matrix })),
    }),
  ),
});

const REAL = 1e-5;

/** A weight on its codebook, with an optimizer of the centroids. */
function learner(
  { codes, codebook, blockSize, outputs }: Learner,
  { lr, momentum, weight_decay: weightDecay, nesterov }: Rates,
) {
  const product = { blockSize, codes: Uint16Array.from(codes), codebook: Float64Array.from(codebook) };
  const inputs = (codes.length * blockSize) / outputs;
  const optimizer = new HostOptimizer({ optimizer: "sgd", momentum, weightDecay, nesterov });
  let step = 0;
  return {
    codebook: product.codebook,
    weight: () => roll(product, { outputs, inputs }),
    learn(gradient: Float32Array) {
      const blocks = unroll({ values: gradient, outputs, inputs }, blockSize);
      const means = clusterMeans(blocks, product.codes, codebook.length / blockSize);
      optimizer.update("codebook", product.codebook, means, { learningRate: lr, step: ++step });
    },
  };
}

interface Learner {
  readonly codes: readonly number[];
  readonly codebook: readonly number[];
  readonly blockSize: number;
  readonly outputs: number;
}

interface Rates {
  readonly lr: number;
  readonly momentum: number;
  readonly weight_decay: number;
  readonly nesterov: boolean;
}

/** centroid_sgd.json: weights and centroids after each step, the gradient of a centroid the mean over its blocks. */
export function checkCentroidSteps(content: unknown): Outcome {
  const tally = new Tally();
  for (const golden of steps.parse(content).cases) {
    const [outputs = 1] = golden.weight_shape;
    const shape = { outputs, blockSize: golden.block_size };
    const own = learner({ ...shape, codes: golden.assignments, codebook: golden.initial_centroids.flat() }, golden);
    tally.case((check) => check(largestDifference(own.weight(), golden.initial_weight), REAL));
    for (const { gradient, weight_after, centroids_after } of golden.steps) {
      own.learn(Float32Array.from(gradient));
      tally.case((check) => {
        check(largestDifference(own.weight(), weight_after), REAL);
        check(largestDifference(own.codebook, centroids_after.flat()), REAL);
      });
    }
  }
  return tally;
}

const distillation = z.object({
  out: z.int(),
  block_size: z.int(),
  lr: z.number(),
  momentum: z.number(),
  weight_decay: z.number(),
  teacher_weight: flat,
  bias_of_both: numbers,
  assignments: numbers,
  initial_centroids: matrix,
  student_initial_weight: flat,
  inputs_per_iteration: z.array(matrix),
  losses: numbers,
  student_final_weight: flat,
  final_centroids: matrix,
});

/** distillation.json: losses of a dense layer that learns from its own float weights, and what its codebook becomes. */
export function checkDistillation(content: unknown): Outcome {
  const golden = distillation.parse(content);
  const { out: outputs, block_size: blockSize, bias_of_both: bias } = golden;
  const codebook = golden.initial_centroids.flat();
  const own = learner({ codes: golden.assignments, codebook, blockSize, outputs }, { ...golden, nesterov: false });
  const tally = new Tally();
  tally.case((check) => check(largestDifference(own.weight(), golden.student_initial_weight), REAL));
  for (const [index, inputs] of golden.inputs_per_iteration.entries()) {
    const logits = (weight: ArrayLike<number>) =>
      inputs.flatMap((x) =>
        bias.map((sum, output) => x.reduce((total, value, n) => total + value * weight[output * x.length + n]!, sum)),
      );
    const { loss, gradient } = divergenceFrom(logits(golden.teacher_weight), logits(own.weight()), {
      ...{ classes: outputs, temperature: 1 },
    });
    tally.case((check) => check(Math.abs(loss - golden.losses[index]!), REAL));
    const width = inputs[0]!.length;
    own.learn(
      Float32Array.from({ length: outputs * width }, (_, place) =>
        inputs.reduce(
          (sum, x, image) => sum + x[place % width]! * gradient[image * outputs + Math.floor(place / width)]!,
          0,
        ),
      ),
    );
  }
  tally.case((check) => {
    check(largestDifference(own.weight(), golden.student_final_weight), REAL);
    check(largestDifference(own.codebook, golden.final_centroids.flat()), REAL);
  });
  return tally;
}
