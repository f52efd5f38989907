import t from "tap";
import type { LayerProblem, SolveLayer } from "../../../src/methods/layerwise/layer-problem.ts";
import { solveParts } from "../../../src/methods/layerwise/solve-parts.ts";
import { anyEngine } from "../../fixtures/engines.ts";

const { ops } = await anyEngine();

const [outputs, inputs] = [4, 3];
const problem: Omit<LayerProblem, "bits"> = {
  name: "layer",
  weight: { values: Float32Array.from({ length: outputs * inputs }, (_, index) => index), outputs, inputs },
  bias: Float32Array.from({ length: outputs }, (_, channel) => 100 + channel),
  rectified: false,
  limit: null,
  rows: {
    groups: 1,
    samples: 2,
    positions: 1,
    inputs: new Float32Array(2 * inputs),
    targets: Float32Array.from({ length: 2 * outputs }, (_, index) => index),
  },
};

/** Codes that tell which weights they were made of, and steps which width; one of channel 3's are zeros. */
const seen: LayerProblem[] = [];
const solver = (width: number): SolveLayer =>
  function* (part) {
    seen.push(part);
    const codes = Int32Array.from(part.weight.values, (value) => (value >= 3 * inputs ? 0 : value + 1));
    const steps = new Float32Array(part.weight.outputs).fill(1 / width);
    const share = {
      nearestError: 2,
      error: part.weight.outputs,
      flipped: width / 16,
      settled: null,
      iterations: width,
    };
    return { codes, steps, statistics: share };
  };
const solve = (bits: 8 | readonly (2 | 8)[]) => solveParts(problem, bits, { solver, ops, hear: async () => {} });

t.test("channels of each width are a problem of their own, and come back in their places", async (t) => {
  seen.length = 0;
  const { codes, steps, statistics } = await solve([8, 2, 8, 2]);
  t.strictSame(
    seen.map(({ bits, bias, rows }) => [bits, [...bias!], [...rows.targets]]),
    [
      [2, [101, 103], [1, 3, 5, 7]],
      [8, [100, 102], [0, 2, 4, 6]],
    ],
  );
  t.strictSame([...codes], [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0]);
  t.strictSame([...steps], [1 / 8, 1 / 2, 1 / 8, 1 / 2]);
  t.strictSame(statistics, { nearestError: 4, error: 4, flipped: (2 + 8) / 32, settled: null, iterations: 8 });
});

t.test("a channel of zeros has a step like those of its width, not of wider ones", async (t) => {
  const { steps } = await solve([8, 8, 2, 8]);
  t.equal(steps[3], 1 / 8);
  t.equal((await solve(8)).steps[3], 1 / 8);
});
