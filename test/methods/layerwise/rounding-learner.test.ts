import t from "tap";
import { uploadRows } from "../../../src/methods/layerwise/layer-error.ts";
import type { LayerProblem } from "../../../src/methods/layerwise/layer-problem.ts";
import { RoundingLearner } from "../../../src/methods/layerwise/rounding-learner.ts";
import { rectifiedSigmoid } from "../../../src/quantization/rectified-sigmoid.ts";
import { roundingRegularizer } from "../../../src/quantization/rounding-regularizer.ts";
import { weightGrids } from "../../../src/quantization/scale-search.ts";
import { roundingChoice, softWeight } from "../../../src/quantization/soft-rounding.ts";
import { anyEngine, freeing, near } from "../../fixtures/engines.ts";
import { layerProblem } from "../../fixtures/layer-problems.ts";

const { ops } = await anyEngine();
const all = Int32Array.from({ length: 24 }, (_, sample) => sample);
const regularization = 0.02;

function learn(problem: LayerProblem, steps: number, beta: number | null = 6): Float32Array {
  const grids = weightGrids(problem.weight, { bits: problem.bits, rule: "mse", perChannel: true });
  const choice = roundingChoice(problem.weight, grids);
  return freeing(ops, () => {
    const options = { learningRate: 0.01, regularization, batchSize: all.length };
    const learner = new RoundingLearner(ops, problem, uploadRows(ops, problem), { choice, grids }, options);
    for (let step = 0; step < steps; step++) learner.step(all, beta);
    const v = learner.values();
    learner.dispose();
    return v;
  });
}

/** The loss of all rows, in double precision. */
function loss({ weight, rows, bias, rectified, bits }: LayerProblem, v: Float64Array, beta: number): number {
  const grids = weightGrids(weight, { bits, rule: "mse", perChannel: true });
  const { offset, range } = softWeight(roundingChoice(weight, grids), grids, weight.inputs);
  const soft = Float64Array.from(v, (value, i) => offset[i]! + range[i]! * rectifiedSigmoid(value).value);
  const activate = (value: number) => (rectified ? Math.max(0, value) : value);
  let sum = 0;
  const count = rows.samples * rows.positions;
  for (let row = 0; row < count; row++) {
    for (let m = 0; m < weight.outputs; m++) {
      let y = bias![m]!;
      for (let n = 0; n < weight.inputs; n++) y += soft[m * weight.inputs + n]! * rows.inputs[row * weight.inputs + n]!;
      sum += (activate(y) - activate(rows.targets[row * weight.outputs + m]!)) ** 2;
    }
  }
  return sum / count + regularization * roundingRegularizer(v, beta);
}

t.test("the first step goes down the slope of the loss, as differences find it", async (t) => {
  for (const rectified of [false, true]) {
    // The network before is quantized: the inputs are not those the targets were made from, and all weights feel it.
    const drawn = layerProblem({ seed: 5, rectified });
    const inputs = drawn.rows.inputs.map((value) => Math.round(value * 2) / 2);
    const problem = { ...drawn, rows: { ...drawn.rows, inputs } };
    const before = Float64Array.from(learn(problem, 0));
    const after = learn(problem, 1);
    let compared = 0;
    before.forEach((value, i) => {
      const at = (v: number) => loss(problem, before.with(i, v), 6);
      const slope = (at(value + 1e-5) - at(value - 1e-5)) / 2e-5;
      if (Math.abs(slope) < 1e-4 || Math.abs(value) > 2.3) return;
      compared++;
      // Adam's first step is its rate against the sign of the gradient.
      t.ok(Math.abs(after[i]! - value + 0.01 * Math.sign(slope)) < 1e-5, `weight ${i}: slope ${slope}`);
    });
    t.ok(compared > 20, `${compared} weights compared`);
  }
});

t.test("output channels are learned independently, and the order of inputs does not matter", async (t) => {
  const problem = layerProblem({ seed: 6, outputs: 4, inputs: 7, rectified: true });
  const { weight, rows, bias } = problem;
  const whole = learn(problem, 40);
  const two = {
    ...problem,
    weight: { ...weight, values: weight.values.subarray(0, 14), outputs: 2 },
    bias: bias!.subarray(0, 2),
    rows: { ...rows, targets: rows.targets.filter((_, i) => i % 4 < 2) },
  };
  t.doesNotThrow(() => near(learn(two, 40), whole.subarray(0, 14)));
  const reversed = (values: Float32Array) => values.map((_, i) => values[i - (i % 7) + 6 - (i % 7)]!);
  const turned = {
    ...problem,
    weight: { ...weight, values: reversed(weight.values) },
    rows: { ...rows, inputs: reversed(rows.inputs) },
  };
  t.doesNotThrow(() => near(reversed(learn(turned, 40)), whole));
});

t.test("groups are learned as layers of their own would be", async (t) => {
  const problem = layerProblem({ seed: 7, outputs: 4, inputs: 5, groups: 2 });
  const { weight, rows, bias } = problem;
  const half = <T extends Float32Array>(values: T, group: number) =>
    values.subarray((group * values.length) / 2, ((group + 1) * values.length) / 2);
  const whole = learn(problem, 30);
  for (const group of [0, 1]) {
    const inputs = half(rows.inputs, group);
    const alone = {
      ...problem,
      weight: { values: half(weight.values, group), outputs: 2, inputs: 5 },
      bias: half(bias!, group),
      rows: { ...rows, groups: 1, inputs, targets: half(rows.targets, group) },
    };
    t.doesNotThrow(() => near(learn(alone, 30), half(whole, group)));
  }
});
