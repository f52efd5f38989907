import t from "tap";
import { loadEngine } from "../../../src/engine/load-engine.ts";
import { engineKinds } from "../../fixtures/engines.ts";
import { classificationOf, classifying, classTargets } from "../../fixtures/tasks.ts";

const task = classifying(4);

t.test("the main metric is top-1, in percent, above a quarter by chance", async (t) => {
  t.match(task.description.metrics, [
    { key: "top1", label: "top-1", unit: "%", better: "higher", chance: 25, isShare: true },
  ]);
  t.equal(task.outputs, 4);
});

t.test("an evaluator counts the first of the largest logits, over batches", async (t) => {
  const evaluator = task.evaluator();
  evaluator.add({
    count: 2,
    images: new Uint8Array(),
    outputs: [0, 1, 0, 0, 5, 5, 5, 5],
    targets: classTargets([1, 3]),
  });
  t.same(evaluator.metrics, { top1: 50 });
  evaluator.add({
    count: 2,
    images: new Uint8Array(),
    outputs: [0, -1, 0, 9, 1, 0, 0, 0],
    targets: classTargets([3, 0]),
  });
  t.same(evaluator.metrics, { top1: 75 });
});

t.test("an examiner finds confusion, calibration and the worst images", async (t) => {
  const examiner = task.examiner([1, 1, 1], null);
  const outputs = Float32Array.of(9, 0, 0, 0, 9, 0, 0, 0);
  examiner.add({ count: 2, images: Uint8Array.of(10, 20), outputs, targets: classTargets([0, 2]) });
  const { confusion, calibration, worst } = classificationOf(examiner.findings);
  t.same(confusion, [
    [1, 0, 0, 0],
    [0, 0, 0, 0],
    [1, 0, 0, 0],
    [0, 0, 0, 0],
  ]);
  t.match(calibration?.bins.at(-1), { images: 2, accuracy: 0.5 });
  t.match(worst, [{ index: 1, truth: 2, predicted: 0 }]);
});

t.test("answers are the probability of the class where it is right, else 0", async (t) => {
  const answers = task.answers()!;
  const add = (outputs: readonly number[], labels: readonly number[]) =>
    answers.add({
      ...{ count: labels.length, images: new Uint8Array(labels.length) },
      ...{ outputs: Float32Array.from(outputs), targets: classTargets(labels) },
    });
  add([0, 0, 0, 0, Math.log(5), 0, 0, 0], [0, 0]);
  add([0, Math.log(5), 0, 0, Number.NaN, Number.NaN, Number.NaN, Number.NaN], [0, 0]);
  t.strictSame([...answers.values], [0.25, 0.625, 0, 0]);
});

t.test("targets of another kind are a defect", async (t) => {
  const values = { kind: "values", values: Float32Array.of(1) } as const;
  t.throws(
    () => task.evaluator().add({ count: 1, images: new Uint8Array(), outputs: [1, 2, 3, 4], targets: values }),
    /classification of values/,
  );
});

for (const { kind, skip } of engineKinds) {
  t.test(`loss and sums of a step on the ${kind} engine`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });
    ops.scope(
      () => {
        const logits = ops.tensor(Float32Array.of(0, 0, 0, 0, 0, Math.log(5), 0, 0), [2, 4]);
        const batch = { count: 2, images: new Uint8Array(), targets: classTargets([2, 1]) };
        const targets = task.targets(ops, batch);
        // Mean of -ln(1/4) and -ln(5/8).
        const loss = ops.scalar(task.loss(ops, logits, targets).loss);
        t.ok(Math.abs(loss - (Math.log(4) + Math.log(8 / 5)) / 2) < 1e-6, `${loss}`);
        const sums = task.sums(ops, logits, targets);
        t.same(sums, { correct: 1 });
        t.same(task.figures(sums, 2), { top1: 50 });
      },
      () => [],
    );
  });
}
