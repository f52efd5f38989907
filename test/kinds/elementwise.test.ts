import fc from "fast-check";
import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import { isSteep, type Nonlinearity, nonlinearValue, steepestSlope } from "../../src/engine/nonlinearity.ts";
import type { Tensor } from "../../src/engine/ops.ts";
import { add } from "../../src/kinds/add.ts";
import { affine } from "../../src/kinds/affine.ts";
import { multiply } from "../../src/kinds/multiply.ts";
import { nonlinear } from "../../src/kinds/nonlinear.ts";
import { elementsOf, engineKinds, holds, matches, near, random } from "../fixtures/engines.ts";
import { passForKind } from "../fixtures/pass-for-kind.ts";

const nonlinearities: readonly Nonlinearity[] = [
  ...(["sigmoid", "tanh", "softplus", "silu", "mish", "hard-swish", "gelu", "gelu-tanh"] as const).map((kind) => ({
    kind,
  })),
  { kind: "hard-sigmoid", slope: 0.2, offset: 0.5 },
  { kind: "leaky-relu", slope: 0.1 },
  { kind: "elu", scale: 0.7 },
  { kind: "sqrt" },
  { kind: "reciprocal" },
];

/** Places from far below to far above 0, none of them where a slope jumps. */
const places = Float32Array.from({ length: 101 }, (_, index) => (index - 50) * 0.177 + 0.013);

/** Those of a function; of what is steep near 0, those that are far enough above it. */
const placesOf = (of: Nonlinearity) => (isSteep(of) ? places.filter((x) => x > 0.1) : places);

/** In float64. */
const slopeOf = (of: Nonlinearity, x: number) => (nonlinearValue(of, x + 1e-5) - nonlinearValue(of, x - 1e-5)) / 2e-5;

const size = fc.integer({ min: 1, max: 4 });
/** Shapes that meet: equal ones, a number for each channel, for each pixel, or for both. */
const meetings = fc
  .record({ seed: fc.nat(1000), batch: size, height: size, width: size, channels: size })
  .chain(({ seed, batch, height, width, channels }) =>
    fc.record({
      seed: fc.constant(seed),
      left: fc.constant([batch, height, width, channels]),
      right: fc.constantFrom(
        [batch, height, width, channels],
        [batch, channels],
        [batch, 1, 1, channels],
        [batch, height, width, 1],
      ),
    }),
  );

/** The element of a tensor that meets one of the left shape. */
function meeting(values: ArrayLike<number>, shape: readonly number[], index: number, left: readonly number[]): number {
  const places: number[] = [];
  for (let axis = left.length - 1, rest = index; axis >= 0; axis--) {
    places[axis] = rest % left[axis]!;
    rest = Math.floor(rest / left[axis]!);
  }
  const own = shape.length === 2 ? [places[0]!, places[3]!] : places;
  return values[shape.reduce((at, size, axis) => at * size + (size === 1 ? 0 : own[axis]!), 0)]!;
}

for (const { kind, skip } of engineKinds) {
  t.test(`elementwise nodes on the ${kind} engine`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });

    for (const of of nonlinearities) {
      t.test(`${of.kind}: values and slopes`, async (t) => {
        const node = { kind: "nonlinear", id: "f", inputs: ["x"], of } as const;
        const places = placesOf(of);
        ops.scope(
          () => {
            const x = ops.tensor(places, [1, places.length]);
            const { output, saved } = nonlinear.forward(node, [x], passForKind(ops));
            const gradient = random(1, "g", [places.length]);
            const [byX] = nonlinear.backward(node, ops.tensor(gradient, [1, places.length]), saved, passForKind(ops), [
              true,
            ]);
            t.doesNotThrow(() =>
              near(
                ops.read(output),
                places.map((x) => nonlinearValue(of, x)),
                1e-6,
              ),
            );
            const slopes = Float64Array.from(places, (x) => slopeOf(of, x));
            t.doesNotThrow(() =>
              near(
                ops.read(byX!),
                slopes.map((slope, i) => slope * gradient[i]!),
                1e-4,
              ),
            );
            t.ok(
              slopes.every((slope, i) => Math.abs(slope) <= steepestSlope(of, places[i]!) + 1e-6),
              "no slope is steeper",
            );
          },
          () => [],
        );
      });
    }

    t.test("the root of 0 has no slope, so that a norm of nothing moves nothing", async (t) => {
      const node = { kind: "nonlinear", id: "f", inputs: ["x"], of: { kind: "sqrt" } } as const;
      ops.scope(
        () => {
          const x = ops.tensor(Float32Array.of(0, 4), [1, 2]);
          const { saved } = nonlinear.forward(node, [x], passForKind(ops));
          const [byX] = nonlinear.backward(node, ops.tensor(Float32Array.of(1, 1), [1, 2]), saved, passForKind(ops), [
            true,
          ]);
          t.strictSame(Array.from(ops.read(byX!)), [0, 0.25]);
        },
        () => [],
      );
    });

    // The clipping of tfjs's kernels for WebAssembly hides it.
    const hides = kind === "wasm";
    t.test("what is no number stays none, so that a training that diverges is seen", { skip: hides }, async (t) => {
      for (const of of nonlinearities) {
        const node = { kind: "nonlinear", id: "f", inputs: ["x"], of } as const;
        ops.scope(
          () => {
            const x = ops.tensor(Float32Array.of(Number.NaN, 1), [1, 2]);
            const { output, saved } = nonlinear.forward(node, [x], passForKind(ops));
            const [byX] = nonlinear.backward(node, ops.tensor(Float32Array.of(1, 1), [1, 2]), saved, passForKind(ops), [
              true,
            ]);
            t.strictSame(Array.from(ops.read(output), Number.isNaN), [true, false], of.kind);
            t.strictSame(Array.from(ops.read(byX!), Number.isNaN), [true, false], `${of.kind}: gradient`);
          },
          () => [],
        );
      }
    });

    const run = (name: "add" | "multiply", inputs: readonly [Tensor, Tensor], gradient: Tensor) => {
      const pass = passForKind(ops);
      const node = { id: "met", inputs: ["a", "b"] } as const;
      if (name === "add") {
        const { output, saved } = add.forward({ kind: name, ...node }, inputs, pass);
        return { output, gradients: add.backward({ kind: name, ...node }, gradient, saved, pass, [true, true]) };
      }
      const { output, saved } = multiply.forward({ kind: name, ...node }, inputs, pass);
      return { output, gradients: multiply.backward({ kind: name, ...node }, gradient, saved, pass, [true, true]) };
    };
    for (const [name, join, slopes] of [
      ["add", (a: number, b: number) => a + b, () => [1, 1]],
      ["multiply", (a: number, b: number) => a * b, (a: number, b: number) => [b, a]],
    ] as const) {
      t.test(`${name}: tensors that meet, and the gradients of what is repeated`, async (t) => {
        holds(t, ops, meetings, ({ seed, left, right }) => {
          const [a, b] = [random(seed, "a", left), random(seed, "b", right)];
          const g = random(seed, "g", left);
          const inputs: [Tensor, Tensor] = [ops.tensor(a, left), ops.tensor(b, right)];
          const met = Array.from(a, (_, index) => meeting(b, right, index, left));
          // Which element of the right tensor each one meets.
          const from = Array.from(a, (_, index) => meeting(Array.from(b.keys()), right, index, left));
          const { output, gradients } = run(name, inputs, ops.tensor(g, left));
          matches(
            ops,
            output,
            left,
            Array.from(a, (value, i) => join(value, met[i]!)),
            1e-6,
          );
          const byLeft = Array.from(g, (value, i) => value * slopes(a[i]!, met[i]!)[0]!);
          const byRight = new Float64Array(elementsOf(right));
          for (const [i, place] of from.entries()) byRight[place]! += g[i]! * slopes(a[i]!, met[i]!)[1]!;
          matches(ops, gradients[0]!, left, byLeft, 1e-6);
          matches(ops, gradients[1]!, right, byRight, 1e-5);
        });
      });
    }

    t.test("a factor and a summand for each channel, and their gradients", async () => {
      ops.scope(
        () => {
          const [x, scale, shift, g] = [[2, 3, 4], [4], [4], [2, 3, 4]].map((shape, i) => random(i, "affine", shape));
          const inputs = [ops.tensor(x!, [2, 3, 4]), ops.tensor(scale!, [4]), ops.tensor(shift!, [4])] as const;
          const image = ops.reshape(inputs[0], [2, 3, 1, 4]);
          const node = { kind: "affine", id: "a", inputs: ["x", "s", "t"] } as const;
          const { output, saved } = affine.forward(node, [image, inputs[1], inputs[2]], passForKind(ops));
          near(
            ops.read(output),
            x!.map((value, i) => value * scale![i % 4]! + shift![i % 4]!),
            1e-6,
          );
          const gradient = ops.tensor(g!, [2, 3, 1, 4]);
          const [byX, byScale, byShift] = affine.backward(node, gradient, saved, passForKind(ops), [true, true, true]);
          const sums = (values: Float32Array) =>
            [0, 1, 2, 3].map((c) => values.reduce((sum, v, i) => sum + (i % 4 === c ? v : 0), 0));
          near(
            ops.read(byX!),
            g!.map((value, i) => value * scale![i % 4]!),
            1e-6,
          );
          near(ops.read(byScale!), sums(g!.map((value, i) => value * x![i]!)), 1e-5);
          near(ops.read(byShift!), sums(g!), 1e-5);
        },
        () => [],
      );
    });
  });
}

t.test("shapes that do not meet are refused", async (t) => {
  const node = { kind: "multiply", id: "product", inputs: ["a", "b"] } as const;
  t.strictSame(multiply.shape(node, [[4, 5, 3], [3]]), [4, 5, 3]);
  t.throws(() => multiply.shape(node, [[4, 5, 3], [2]]), {
    message: "product: multiplies [4,5,3] and [2], which do not fit",
  });
});
