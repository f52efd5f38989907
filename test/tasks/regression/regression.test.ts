import t from "tap";
import { loadEngine } from "../../../src/engine/load-engine.ts";
import type { ComparedBatch } from "../../../src/tasks/agreement.ts";
import { createTask } from "../../../src/tasks/create-task.ts";
import type { Metrics } from "../../../src/tasks/metric.ts";
import { engineKinds, random } from "../../fixtures/engines.ts";
import { classTargets } from "../../fixtures/tasks.ts";

const regressing = (outputs: number) => createTask({ name: "regression" }, { kind: "values", outputs });
const valueTargets = (...values: number[]) => ({ kind: "values", values: Float32Array.from(values) }) as const;
const close = (actual: number | undefined, expected: number) => Math.abs((actual ?? Number.NaN) - expected) < 1e-9;

t.test("RMSE and MAE over all values, R² the mean of the outputs', over batches", async (t) => {
  const evaluator = regressing(2).evaluator();
  // Errors of output 1: 1, -1, 0; of output 2: 0, 0, 2. Their values are 1, 2, 3 and 0, 0, 6.
  evaluator.add({ count: 2, images: new Uint8Array(), targets: valueTargets(1, 0, 2, 0), outputs: [2, 0, 1, 0] });
  evaluator.add({ count: 1, images: new Uint8Array(), targets: valueTargets(3, 6), outputs: [3, 8] });
  const { rmse, mae, r2 } = evaluator.metrics;
  t.ok(close(rmse, Math.sqrt(6 / 6)) && close(mae, 4 / 6), `${rmse}, ${mae}`);
  // Of squared distances from the means, 2 and 24.
  t.ok(close(r2, (1 - 2 / 2 + (1 - 4 / 24)) / 2), `${r2}`);
});

t.test("R² of far values keeps its digits; what never varies is met or not", async (t) => {
  const judged = (targets: readonly number[], outputs: readonly number[]) => {
    const evaluator = regressing(1).evaluator();
    evaluator.add({ count: targets.length, images: new Uint8Array(), targets: valueTargets(...targets), outputs });
    return evaluator.metrics.r2;
  };
  const far = 2 ** 20;
  t.ok(close(judged([far, far + 1, far + 2], [far, far + 1, far + 1]), 1 - 1 / 2));
  t.equal(judged([5, 5], [5, 5]), 1);
  t.equal(judged([5, 5], [5, 6]), 0);
  t.equal(judged([1, 3], [2, 2]), 0, "the mean explains nothing");
});

t.test("classes are a defect", async (t) => {
  t.throws(
    () =>
      regressing(1)
        .evaluator()
        .add({ count: 1, images: new Uint8Array(), outputs: [1], targets: classTargets([1]) }),
    /regression of classes/,
  );
});

t.test("an examiner counts errors by size and keeps points from all images", async (t) => {
  const examiner = regressing(8).examiner([1, 1, 1], null);
  for (let image = 0; image < 1000; image++) {
    const error = image % 4 === 0 ? -2 : 1;
    const targets = valueTargets(...new Array(8).fill(image));
    examiner.add({ count: 1, images: new Uint8Array(1), targets, outputs: new Float32Array(8).fill(image + error) });
  }
  const { findings } = examiner;
  if (findings.task !== "regression") throw new Error(findings.task);
  t.equal(findings.outputs.length, 6, "the first outputs");
  const { limit, errors, points } = findings.outputs[0]!;
  t.equal(limit, 2);
  // Of 41 bins from -2 to 2, the first, and the one with 1: floor(0.75 · 41).
  t.strictSame([errors[0], errors[30], errors.length], [250, 750, 41]);
  t.equal(points.length, 300);
  t.ok(points.every(([truth, predicted]) => predicted - truth === (truth % 4 === 0 ? -2 : 1)));
  t.ok(points.at(-1)![0] > 990, "from the first to the last");
  const none = regressing(1).examiner([1, 1, 1], null);
  none.add({ count: 1, images: new Uint8Array(1), targets: valueTargets(3), outputs: Float32Array.of(3) });
  t.match(none.findings, { outputs: [{ limit: 0, points: [[3, 3]] }] });
});

const compared = (batches: readonly Omit<ComparedBatch, "targets" | "images">[], trainer: Metrics | null = null) => {
  const agreement = regressing(1).agreement(trainer);
  for (const batch of batches)
    agreement.add({ ...batch, images: new Uint8Array(), targets: valueTargets(...Array.from(batch.trainer)) });
  return agreement;
};
/** 1,000 values of deviation 1, the first `others` of which the runtime has `apart` away. */
const values = (others: number, apart: number) => {
  const trainer = Array.from({ length: 1000 }, (_, image) => (image % 2 === 0 ? 1 : -1));
  return { count: 1000, trainer, runtime: trainer.map((value, image) => (image < others ? value + apart : value)) };
};

t.test("a file's values may differ by 1 % of the deviation in the mean", async (t) => {
  const { result, disagreement } = compared([values(0, 0)]);
  t.equal(disagreement, null);
  t.match(result, { images: 1000, metrics: { rmse: 0, r2: 1 }, trainerMetrics: { rmse: 0 } });
  const near = compared([values(1000, 0.0099)]);
  t.equal(near.disagreement, null);
  const [mean, largest] = near.result.agreement;
  t.ok(Math.abs(mean!.value - 0.99) < 1e-9 && Math.abs(largest!.value - 0.99) < 1e-9);
  t.match(compared([values(1000, 0.011)]).disagreement, /1\.10 % of their deviation apart in the mean \(at most 1 %\)/);
});

t.test("and 1 % of them by more than 10 % of it", async (t) => {
  t.equal(compared([values(10, 0.5)]).disagreement, null);
  t.match(compared([values(11, 0.5)]).disagreement, /11 of 1000 more than 10 %/);
  const few = { count: 2, trainer: [1, -1], runtime: [1.015, -1] };
  t.equal(compared([few]).disagreement, null);
  t.match(compared([{ ...few, runtime: [Number.NaN, -1] }]).disagreement, /NaN/);
});

t.test("the trainer's RMSE is that of the training", async (t) => {
  t.equal(compared([values(0, 0)], { rmse: 0.0099 }).disagreement, null);
  t.match(compared([values(0, 0)], { rmse: 0.0101 }).disagreement, /RMSE 0 against 0\.0101/);
});

for (const { kind, skip } of engineKinds) {
  t.test(`squared error, its gradient and a step's sums on the ${kind} engine`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });
    const task = regressing(3);
    const shape = [4, 3];
    const outputs = Float32Array.from(random(1, "outputs", shape));
    const truth = Float32Array.from(random(1, "targets", shape));
    const batch = { count: 4, images: new Uint8Array(), targets: valueTargets(...truth) };
    const differences = Array.from(outputs, (value, at) => value - truth[at]!);
    const squared = differences.reduce((sum, difference) => sum + difference ** 2, 0);
    const live = ops.liveTensors();
    ops.scope(
      () => {
        const [given, targets] = [ops.tensor(outputs, shape), task.targets(ops, batch)];
        const { loss, gradient } = task.loss(ops, given, targets);
        t.ok(Math.abs(ops.scalar(loss) - squared / 12) < 1e-6);
        t.strictSame(gradient.shape, shape);
        const read = Array.from(ops.read(gradient));
        t.ok(read.every((value, at) => Math.abs(value - (2 * differences[at]!) / 12) < 1e-6));
        const sums = task.sums(ops, given, targets);
        t.ok(Math.abs(sums.squared! - squared / 3) < 1e-6);
        const { rmse, mae } = task.figures(sums, 4);
        t.ok(Math.abs(rmse! - Math.sqrt(squared / 12)) < 1e-6);
        t.ok(Math.abs(mae! - differences.reduce((sum, one) => sum + Math.abs(one), 0) / 12) < 1e-6);
      },
      () => [],
    );
    t.equal(ops.liveTensors(), live, "no tensor is left");
  });
}
