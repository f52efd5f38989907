import fc from "fast-check";
import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import type { Ops, Tensor } from "../../src/engine/ops.ts";
import { affine } from "../../src/kinds/affine.ts";
import { kindOf, type Node } from "../../src/kinds/index.ts";
import { layerNorm } from "../../src/kinds/layer-norm.ts";
import { matmul } from "../../src/kinds/matmul.ts";
import { reshape } from "../../src/kinds/reshape.ts";
import { slice } from "../../src/kinds/slice.ts";
import { transpose } from "../../src/kinds/transpose.ts";
import { elementsOf, engineKinds, freeing, holds, matches, near, random } from "../fixtures/engines.ts";
import { passForKind } from "../fixtures/pass-for-kind.ts";

/** A node with the shapes of what it reads; those with a batch have it in front, 2. */
interface Case {
  readonly node: Node;
  readonly shapes: readonly (readonly number[])[];
  readonly seed: number;
}

const BATCH = 2;
const size = fc.integer({ min: 1, max: 3 });
const shape = fc.array(size, { minLength: 1, maxLength: 4 });
const id = "node";
const one = ["x"] as const;
const three = ["x", "scale", "shift"] as const;

const nodes: Readonly<Record<string, fc.Arbitrary<Omit<Case, "seed">>>> = {
  reshape: shape.map((shape) => ({
    node: { kind: "reshape", id, inputs: one, shape: [elementsOf(shape), 1] },
    shapes: [[BATCH, ...shape]],
  })),
  transpose: shape
    .chain((shape) => fc.tuple(fc.constant(shape), fc.shuffledSubarray([...shape.keys()], { minLength: shape.length })))
    .map(([shape, order]) => ({
      node: { kind: "transpose", id, inputs: one, order },
      shapes: [[BATCH, ...shape]],
    })),
  slice: fc.tuple(shape, fc.nat(3), fc.nat(1), fc.nat(1)).map(([sizes, wanted, start, behind]) => {
    const axis = wanted % sizes.length;
    const own = sizes[axis]!;
    return {
      node: { kind: "slice", id, inputs: one, axis, start, size: own },
      shapes: [[BATCH, ...sizes.with(axis, own + start + behind)]],
    };
  }),
  softmax: shape.map((shape) => ({ node: { kind: "softmax", id, inputs: one }, shapes: [[BATCH, ...shape]] })),
  "layer-norm": fc.tuple(shape, size).map(([shape, units]) => ({
    node: { kind: "layer-norm", id, inputs: three, epsilon: 0.1 },
    shapes: [[BATCH, ...shape.slice(1), units + 1], [units + 1], [units + 1]],
  })),
  matmul: fc
    .tuple(fc.array(size, { maxLength: 2 }), size, size, size, fc.boolean(), fc.boolean())
    .map(([lead, m, k, n, transposeA, transposeB]) => ({
      node: { kind: "matmul", id, inputs: ["x", "y"], transposeA, transposeB },
      shapes: [
        [BATCH, ...lead, ...(transposeA ? [k, m] : [m, k])],
        [BATCH, ...lead, ...(transposeB ? [n, k] : [k, n])],
      ],
    })),
  resize: fc
    .tuple(size, size, size, size, size, fc.constantFrom("half-pixel", "align-corners", "asymmetric"))
    .map(([height, width, channels, rows, columns, alignment]) => ({
      node: { kind: "resize", id, inputs: one, size: [2 * rows, columns], alignment },
      shapes: [[BATCH, height, width, channels]],
    })),
  affine: fc.tuple(shape, fc.nat(15)).map(([shape, repeated]) => {
    const own = shape.map((size, axis) => ((repeated >> axis) % 2 === 1 ? 1 : size));
    return { node: { kind: "affine", id, inputs: three, shaped: true }, shapes: [[BATCH, ...shape], own, [1]] };
  }),
};

function outputOf(node: Node, inputs: readonly Tensor[], ops: Ops) {
  // As many as the node reads.
  return kindOf(node).forward(node, inputs as never, passForKind(ops));
}

/** Fourth-order differences: a fifth derivative of 1 is off by 4e-6, what float32 rounds by 1e-5. */
function slopeOf(f: (step: number) => number): number {
  const h = 0.06;
  return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
}

for (const { kind, skip } of engineKinds) {
  for (const [name, cases] of Object.entries(nodes)) {
    t.test(`the gradient of ${name} is what differences of its output are (${kind})`, { skip }, async (t) => {
      const { ops } = await loadEngine({ kind });
      const drawn = fc.tuple(cases, fc.nat(1000)).map(([found, seed]): Case => ({ ...found, seed }));
      const law = ({ node, shapes, seed }: Case) => {
        const values = shapes.map((shape, input) => random(seed, `${input}`, shape));
        const upload = (of: readonly Float32Array[]) => of.map((x, input) => ops.tensor(x, shapes[input]!));
        const { output, saved } = outputOf(node, upload(values), ops);
        const weights = random(seed, "weights", output.shape);
        const sum = (of: readonly Float32Array[]) =>
          freeing(ops, () =>
            Array.from(ops.read(outputOf(node, upload(of), ops).output)).reduce(
              (sum, y, index) => sum + y * weights[index]!,
              0,
            ),
          );
        const gradient = ops.tensor(weights, output.shape);
        const needs = shapes.map(() => true);
        const gradients = kindOf(node).backward(node, gradient, saved, passForKind(ops), needs);
        for (const [input, found] of gradients.entries()) {
          const expected = values[input]!.map((value, index) =>
            slopeOf((step) => sum(values.with(input, values[input]!.with(index, value + step)))),
          );
          if (`${found!.shape}` !== `${shapes[input]}`) throw new Error(`input ${input}: shape [${found!.shape}]`);
          near(ops.read(found!), expected, 1e-4);
        }
      };
      holds(t, ops, drawn, law, 6);
    });
  }

  t.test(`matrices, rows and places are what they say (${kind})`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });
    const numbers = Float32Array.from({ length: 12 }, (_, index) => index);
    holds(
      t,
      ops,
      fc.constant(null),
      () => {
        const of = (node: Node, ...shapes: readonly (readonly number[])[]) =>
          outputOf(
            node,
            shapes.map((shape) => ops.tensor(numbers, shape)),
            ops,
          ).output;
        const turned = of({ kind: "transpose", id, inputs: one, order: [2, 0, 1] }, [1, 2, 2, 3]);
        matches(ops, turned, [1, 3, 2, 2], [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
        const part = of({ kind: "slice", id, inputs: one, axis: 1, start: 1, size: 2 }, [1, 2, 3, 2]);
        matches(ops, part, [1, 2, 2, 2], [2, 3, 4, 5, 8, 9, 10, 11]);
        const product = of(
          { kind: "matmul", id, inputs: ["x", "y"], transposeA: false, transposeB: true },
          [1, 2, 2, 3],
          [1, 2, 2, 3],
        );
        matches(ops, product, [1, 2, 2, 2], [5, 14, 14, 50, 149, 212, 212, 302]);
        const rows = of({ kind: "softmax", id, inputs: one }, [2, 6]);
        const shares = Array.from(ops.read(rows));
        const sums = [0, 6].map((row) => shares.slice(row, row + 6).reduce((a, b) => a + b, 0));
        near(sums, [1, 1], 1e-6);
      },
      1,
    );
  });
}

t.test("shapes that do not fit are refused", async (t) => {
  t.throws(() => reshape.shape({ kind: "reshape", id, inputs: one, shape: [5] }, [[2, 3]]), {
    message: "node: makes [5] of [2,3], other numbers",
  });
  t.throws(() => transpose.shape({ kind: "transpose", id, inputs: one, order: [0, 0] }, [[2, 3]]), {
    message: "node: puts the axes of [2,3] in the order 0,0",
  });
  t.throws(() => slice.shape({ kind: "slice", id, inputs: one, axis: 1, start: 2, size: 2 }, [[2, 3]]), {
    message: "node: takes 2 from 2 on of axis 1 of [2,3]",
  });
  const product = { kind: "matmul", id, inputs: ["x", "y"], transposeA: false, transposeB: false } as const;
  t.throws(
    () =>
      matmul.shape(product, [
        [2, 3],
        [2, 3],
      ]),
    { message: "node: multiplies [2,3] and [2,3], which do not fit" },
  );
  t.throws(() => layerNorm.shape({ kind: "layer-norm", id, inputs: three, epsilon: 1 }, [[2, 3], [2], [3]]), {
    message: "node: reads [2,3], its scale and shift are [2] and [3]",
  });
  t.throws(() => affine.shape({ kind: "affine", id, inputs: three }, [[2, 3], [4], [3]]), {
    message: "node: reads [2,3], its scale and shift are [4] and [3]",
  });
});
