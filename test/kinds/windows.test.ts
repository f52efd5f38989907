import fc from "fast-check";
import t from "tap";
import type { Pair } from "../../src/core/pair.ts";
import { loadEngine } from "../../src/engine/load-engine.ts";
import type { Ops, Tensor } from "../../src/engine/ops.ts";
import type { Saved } from "../../src/graph/node-kind.ts";
import { averagePool } from "../../src/kinds/average-pool.ts";
import { convTranspose } from "../../src/kinds/conv-transpose.ts";
import { conv2d } from "../../src/kinds/conv2d.ts";
import { depthwiseConv2d } from "../../src/kinds/depthwise-conv2d.ts";
import { maxPool } from "../../src/kinds/max-pool.ts";
import { engineKinds, holds, near, random } from "../fixtures/engines.ts";
import { passForKind } from "../fixtures/pass-for-kind.ts";

/** A node with the shapes that it reads, all of them images or weights, and what runs it. */
interface Case {
  readonly seed: number;
  readonly shapes: readonly (readonly number[])[];
  /** Without the batch. */
  readonly outputShape: readonly number[];
  /** Of the first input; random if left out. */
  readonly values?: Float32Array;
  forward(inputs: readonly Tensor[], ops: Ops): { readonly output: Tensor; readonly saved: Saved };
  backward(gradient: Tensor, saved: Saved, ops: Ops): readonly (Tensor | null)[];
}

const small = (min: number, max: number) => fc.integer({ min, max });
const pair = (min: number, max: number): fc.Arbitrary<Pair> => fc.tuple(small(min, max), small(min, max));
const sliding = {
  seed: fc.nat(1000),
  image: fc.tuple(small(1, 2), small(4, 6), small(4, 6)),
  kernel: pair(1, 3),
  strides: pair(1, 2),
  padding: fc.record({ top: small(0, 1), bottom: small(0, 1), left: small(0, 1), right: small(0, 1) }),
};
const batchOf = (image: readonly number[], channels: number) => [...image, channels];

const convolutions: fc.Arbitrary<Case> = fc
  .record({ ...sliding, dilations: fc.constantFrom<Pair>([1, 1], [1, 2]), groups: small(1, 2), channels: pair(1, 2) })
  .map(({ seed, image, kernel, groups, channels, ...geometry }) => {
    const node = { kind: "conv2d", id: "conv", inputs: ["x", "w"], groups, ...geometry } as const;
    const shapes = [batchOf(image, groups * channels[0]), [...kernel, channels[0], groups * channels[1]]];
    return {
      ...{ seed, shapes, outputShape: conv2d.shape(node, [shapes[0]!.slice(1), shapes[1]!]) },
      forward: ([x, weight], ops) => conv2d.forward(node, [x!, weight!], passForKind(ops)),
      backward: (gradient, [x, weight], ops) =>
        conv2d.backward(node, gradient, [x!, weight!], passForKind(ops), [true, true]),
    };
  });

const depthwise: fc.Arbitrary<Case> = fc
  .record({ ...sliding, dilations: fc.constantFrom<Pair>([1, 1], [2, 1]), channels: small(1, 3) })
  .map(({ seed, image, kernel, channels, ...geometry }) => {
    const node = { kind: "depthwise-conv2d", id: "conv", inputs: ["x", "w"], ...geometry } as const;
    const shapes = [batchOf(image, channels), [...kernel, 1, channels]];
    return {
      ...{ seed, shapes, outputShape: depthwiseConv2d.shape(node, [shapes[0]!.slice(1), shapes[1]!]) },
      forward: ([x, weight], ops) => depthwiseConv2d.forward(node, [x!, weight!], passForKind(ops)),
      backward: (gradient, [x, weight], ops) =>
        depthwiseConv2d.backward(node, gradient, [x!, weight!], passForKind(ops), [true, true]),
    };
  });

const upwards: fc.Arbitrary<Case> = fc
  .record({ ...sliding, kernel: pair(2, 3), outputs: fc.boolean(), channels: pair(1, 2) })
  .map(({ seed, image, kernel, outputs, channels, strides, padding }) => {
    const outputPadding: Pair = [outputs ? strides[0] - 1 : 0, outputs ? strides[1] - 1 : 0];
    const node = { kind: "conv-transpose", id: "up", inputs: ["x", "w"], strides, padding, outputPadding } as const;
    const shapes = [batchOf(image, channels[0]), [...kernel, ...channels]];
    return {
      ...{ seed, shapes, outputShape: convTranspose.shape(node, [shapes[0]!.slice(1), shapes[1]!]) },
      forward: ([x, weight], ops) => convTranspose.forward(node, [x!, weight!], passForKind(ops)),
      backward: (gradient, [x, weight], ops) =>
        convTranspose.backward(node, gradient, [x!, weight!], passForKind(ops), [true, true]),
    };
  });

const averages: fc.Arbitrary<Case> = fc
  .record({ ...sliding, kernel: pair(2, 3), channels: small(1, 3) })
  .map(({ seed, image, kernel: size, channels, ...geometry }) => {
    const node = { kind: "average-pool", id: "pool", inputs: ["x"], size, ...geometry } as const;
    const shapes = [batchOf(image, channels)];
    return {
      ...{ seed, shapes, outputShape: averagePool.shape(node, [shapes[0]!.slice(1)]) },
      forward: ([x], ops) => averagePool.forward(node, [x!], passForKind(ops)),
      backward: (gradient, [x], ops) => averagePool.backward(node, gradient, [x!], passForKind(ops), [true]),
    };
  });

const largest: fc.Arbitrary<Case> = fc
  .record({ ...sliding, kernel: pair(2, 3), channels: small(1, 3) })
  .map(({ seed, image, kernel: size, channels, ...geometry }) => {
    const node = { kind: "max-pool", id: "pool", inputs: ["x"], size, ...geometry } as const;
    const shape = batchOf(image, channels);
    const order = random(seed, "order", shape);
    const ranks = Array.from(order.keys()).sort((a, b) => order[a]! - order[b]!);
    // Whole numbers below zero, each another one: a small step changes no winner, and the padding never is one.
    const values = new Float32Array(order.length);
    for (const [rank, index] of ranks.entries()) values[index] = rank - order.length;
    return {
      ...{ seed, shapes: [shape], values, outputShape: maxPool.shape(node, [shape.slice(1)]) },
      forward: ([x], ops) => maxPool.forward(node, [x!], passForKind(ops)),
      backward: (gradient, [padded, output, workspace], ops) =>
        maxPool.backward(node, gradient, [padded!, output!, workspace ?? null], passForKind(ops), [true]),
    };
  });

/** All are linear for so small a step: the difference of two values is the slope itself. */
const STEP = 0.25;

for (const { kind, skip } of engineKinds) {
  t.test(`windows on the ${kind} engine`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });
    for (const [name, cases] of Object.entries({ convolutions, depthwise, upwards, averages, largest })) {
      t.test(`${name}: gradients are slopes`, async (t) => {
        const law = ({ seed, shapes, outputShape, values, ...drawn }: Case) => {
          const inputs = shapes.map((shape, at) => (at === 0 && values) || random(seed, `input ${at}`, shape));
          const run = (moved: readonly Float32Array[]) =>
            drawn.forward(
              moved.map((input, at) => ops.tensor(input, shapes[at]!)),
              ops,
            );
          const { output, saved } = run(inputs);
          const upstream = random(seed, "upstream", output.shape);
          if (`${output.shape.slice(1)}` !== `${outputShape}`) throw new Error(`gives [${output.shape}]`);
          const lossOf = (moved: readonly Float32Array[]) =>
            ops.scope(
              () =>
                Float64Array.from(ops.read(run(moved).output)).reduce(
                  (sum, value, at) => sum + value * upstream[at]!,
                  0,
                ),
              () => [],
            );
          const gradients = drawn.backward(ops.tensor(upstream, output.shape), saved, ops);
          for (const [at, input] of inputs.entries()) {
            const moved = (index: number, step: number) =>
              lossOf(inputs.with(at, input.with(index, input[index]! + step)));
            const slopes = Array.from(input, (_, index) => (moved(index, STEP) - moved(index, -STEP)) / (2 * STEP));
            near(ops.read(gradients[at]!), slopes, 1e-4);
          }
        };
        holds(t, ops, cases, law, 8);
      });
    }
  });
}
