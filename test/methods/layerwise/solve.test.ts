import fc from "fast-check";
import t from "tap";
import { toEnd, withHearing } from "../../../src/core/stepwise.ts";
import { adaround, roundOn } from "../../../src/methods/layerwise/adaround.ts";
import { bitSplit } from "../../../src/methods/layerwise/bit-split.ts";
import type { LayerProblem, SolveLayer } from "../../../src/methods/layerwise/layer-problem.ts";
import { nearest } from "../../../src/methods/layerwise/nearest.ts";
import { weightGrids } from "../../../src/quantization/scale-search.ts";
import { clamp, decode, nearestCodes, outermostCode, weightBits } from "../../../src/quantization/weight-grid.ts";
import { anyEngine, holds } from "../../fixtures/engines.ts";
import { expect } from "../../fixtures/laws.ts";
import { layerProblem, products } from "../../fixtures/layer-problems.ts";

const { ops } = await anyEngine();

const iterations = 120;
const learning = {
  // Fast enough to settle in few iterations.
  learningRate: 0.05,
  regularization: 0.01,
  batchSize: 8,
  beta: { shape: "cosine", iterations, warmUp: 0.2, start: 20, end: 2 },
  safeguard: true,
  flips: false,
  seed: 3,
} as const;
const grid = { steps: "mse", perChannel: true } as const;
const solvers: Readonly<Record<string, SolveLayer>> = {
  nearest: nearest(grid),
  "nearest per tensor": nearest({ steps: "max", perChannel: false }),
  adaround: adaround({ ...grid, ...learning }),
  "adaround with flips": adaround({ ...grid, ...learning, flips: true }),
  "bit-split": bitSplit({ epochs: 100, unitChanges: false }),
  "bit-split with unit changes": bitSplit({ epochs: 100, unitChanges: true }),
};

const size = fc.record({
  seed: fc.nat(1e6),
  bits: fc.constantFrom(...weightBits),
  groups: fc.constantFrom(1, 2, 4),
  positions: fc.integer({ min: 1, max: 3 }),
  rectified: fc.boolean(),
  limit: fc.constantFrom(null, 0.5),
});

/** Mean over rows of Σ over channels of (y_q - y)², on the host. */
function errorOf(
  { weight, rows, rectified, limit, bias }: LayerProblem,
  weights: Float32Array,
  activated: boolean,
): number {
  const shape = { groups: rows.groups, outputs: weight.outputs, inputs: weight.inputs };
  const inner = weight.outputs / rows.groups;
  const count = rows.samples * rows.positions;
  const activate = (value: number) =>
    rectified && activated ? Math.min(limit ?? Number.POSITIVE_INFINITY, Math.max(0, value)) : value;
  const sum = products(weights, rows.inputs, shape).reduce((total, value, i) => {
    const output = Math.floor(i / inner / count) * inner + (i % inner);
    return total + (activate(value + (bias?.[output] ?? 0)) - activate(rows.targets[i]!)) ** 2;
  }, 0);
  return sum / count;
}

for (const [name, solve] of Object.entries(solvers)) {
  t.test(`${name} gives codes on the grid, at most nearest's error, and says what it measured`, async (t) => {
    const law = (drawn: typeof size extends fc.Arbitrary<infer T> ? T : never) => {
      const problem = layerProblem(drawn);
      const { codes, steps, statistics } = toEnd(solve(problem, ops));
      const outermost = outermostCode(drawn.bits);
      expect(codes.length === problem.weight.values.length && steps.length === problem.weight.outputs, "lengths");
      expect(
        codes.every((code) => Math.abs(code) <= outermost),
        `${codes}`,
      );
      expect(
        steps.every((step) => step > 0 && Number.isFinite(step)),
        `${steps}`,
      );
      const scale = errorOf(problem, new Float32Array(codes.length), false);
      expect(statistics.error <= statistics.nearestError + 1e-6 * scale, JSON.stringify(statistics));
      const measured = errorOf(problem, decode(codes, steps, problem.weight.inputs), !name.startsWith("bit-split"));
      expect(Math.abs(measured - statistics.error) <= 1e-5 * scale, `${measured}, said ${statistics.error}`);
      expect(statistics.flipped >= 0 && statistics.flipped <= 1, `${statistics.flipped}`);
    };
    holds(t, ops, size, law, 12);
  });
}

t.test("on few different rows, down to one, Bit-Split's codes still have to do with the weights", async (t) => {
  const inputs = 25;
  const few = fc.record({
    seed: fc.nat(1e6),
    bits: fc.constantFrom(...weightBits),
    different: fc.constantFrom(1, 2, 3, 6),
    unitChanges: fc.boolean(),
  });
  const law = ({ seed, bits, different, unitChanges }: typeof few extends fc.Arbitrary<infer T> ? T : never) => {
    const { rows, ...layer } = layerProblem({ seed, bits, outputs: 8, inputs });
    const repeated = rows.inputs.map(
      (_, at) => rows.inputs[(Math.floor(at / inputs) % different) * inputs + (at % inputs)]!,
    );
    const outputs = products(layer.weight.values, repeated, { groups: 1, outputs: 8, inputs });
    const targets = outputs.map((value, at) => value + layer.bias![at % 8]!);
    const problem = { ...layer, rows: { ...rows, inputs: repeated, targets } };
    const { codes, steps, statistics } = toEnd(bitSplit({ epochs: 100, unitChanges })(problem, ops));
    const decoded = decode(codes, steps, inputs);
    const largest = (values: Float32Array, output: number) =>
      Math.max(...values.slice(output * inputs, (output + 1) * inputs).map(Math.abs));
    for (const output of steps.keys()) {
      const [reach, weight] = [largest(decoded, output), largest(layer.weight.values, output)];
      expect(reach <= 2 * weight, `channel ${output} reaches ${reach}, its weights ${weight}`);
    }
    expect(statistics.error <= statistics.nearestError * (1 + 1e-6) + 1e-9, JSON.stringify(statistics));
  };
  holds(t, ops, few, law, 40);
});

t.test("the same seed gives the same bytes, another one other batches", async (t) => {
  const problem = layerProblem({ seed: 4, bits: 2, outputs: 8, inputs: 18 });
  const run = (seed: number) => toEnd(adaround({ ...grid, ...learning, seed })(problem, ops));
  t.same(run(3), run(3));
  const outcomes = new Set([1, 2, 3, 4, 5, 6].map((seed) => `${run(seed).codes}`));
  t.ok(outcomes.size > 1, "the seed decides something");
});

t.test("with white inputs and no activation, learned rounding is rounding to nearest", async (t) => {
  holds(
    t,
    ops,
    fc.record({ seed: fc.nat(1e6), bits: fc.constantFrom(...weightBits) }),
    ({ seed, bits }) => {
      const inputs = 8;
      const drawn = layerProblem({ seed, bits, inputs, samples: inputs, positions: 1 });
      const x = Float32Array.from({ length: inputs * inputs }, (_, i) => (i % (inputs + 1) === 0 ? 2 : 0));
      const shape = { groups: 1, outputs: 4, inputs };
      const problem = {
        ...drawn,
        bias: null,
        rows: { ...drawn.rows, inputs: x, targets: products(drawn.weight.values, x, shape) },
      };
      const grids = weightGrids(problem.weight, { bits, rule: "max", perChannel: true });
      const { codes } = toEnd(roundOn(grids, problem, ops, { ...learning, safeguard: false, learningRate: 0.01 }));
      expect(`${codes}` === `${nearestCodes(problem.weight, grids)}`, `${codes}`);
    },
    10,
  );
});

t.test("no rounding is better than the best of all; flips find one that no single flip improves", async (t) => {
  for (const rectified of [false, true]) {
    for (let seed = 0; seed < 4; seed++) {
      const inputs = 6;
      const problem = layerProblem({ seed, bits: 2, outputs: 1, inputs, rectified });
      const grids = weightGrids(problem.weight, { bits: 2, rule: "mse", perChannel: true });
      const step = grids[0]!.step;
      const errors = Array.from({ length: 2 ** inputs }, (_, choice) => {
        const codes = Int32Array.from(problem.weight.values, (value, n) =>
          clamp(Math.floor(value / step) + ((choice >> n) & 1), -1, 1),
        );
        return { key: `${codes}`, error: errorOf(problem, decode(codes, [step], inputs), true) };
      });
      const best = Math.min(...errors.map(({ error }) => error));
      const { codes, statistics } = toEnd(roundOn(grids, problem, ops, { ...learning, flips: true }));
      t.ok(statistics.error >= best * (1 - 1e-5), `${statistics.error} of ${best}`);
      const at = errors.findIndex(({ key }) => key === `${codes}`);
      t.not(at, -1, "every code is the floor or the ceiling");
      for (let n = 0; n < inputs; n++) {
        t.ok(errors[at ^ (1 << n)]!.error >= statistics.error * (1 - 1e-5), `flip of weight ${n}`);
      }
    }
  }
});

t.test("a channel of zeros stays one, a layer without any signal keeps finite steps", async (t) => {
  const drawn = layerProblem({ seed: 1 });
  const { weight, rows } = drawn;
  const values = weight.values.slice().fill(0, 0, weight.inputs);
  const targets = products(values, rows.inputs, { groups: rows.groups, ...weight });
  const zeros = { ...drawn, bias: null, weight: { ...weight, values }, rows: { ...rows, targets } };
  const silent = { ...drawn, rows: { ...rows, inputs: new Float32Array(rows.inputs.length) } };
  for (const [name, solve] of Object.entries(solvers)) {
    for (const problem of [zeros, silent]) {
      const { codes, steps, statistics } = toEnd(solve(problem, ops));
      const finite = [...steps, statistics.error, statistics.nearestError].every(Number.isFinite);
      t.ok(finite && steps.every((step) => step > 0), `${name}: ${steps}, ${statistics.error}`);
      if (problem === zeros)
        t.ok(
          codes.subarray(0, weight.inputs).every((code) => code === 0),
          `${name}: ${codes}`,
        );
    }
  }
});

t.test("a solver tells its share, and ended on the way it leaves nothing on the engine", async (t) => {
  const problem = layerProblem({ seed: 4, outputs: 8 });
  for (const [name, solve] of Object.entries(solvers)) {
    const before = ops.liveTensors();
    const shares = [...solve(problem, ops)];
    t.equal(shares.at(-1), 1, name);
    t.strictSame(
      shares,
      shares.toSorted((a, b) => a - b),
      name,
    );
    const work = solve(problem, ops);
    work.next();
    const reason = new Error("enough");
    await t.rejects(
      withHearing(solve(problem, ops), () => Promise.reject(reason)),
      reason,
    );
    t.throws(() => work.throw(reason), reason);
    t.equal(ops.liveTensors(), before, name);
  }
});
