import fc from "fast-check";
import t from "tap";
import { loadEngine } from "../../../src/engine/load-engine.ts";
import { createTask } from "../../../src/tasks/create-task.ts";
import { averagePrecision } from "../../../src/tasks/multi-label/average-precision.ts";
import { engineKinds, random } from "../../fixtures/engines.ts";
import { expect, lawHolds } from "../../fixtures/laws.ts";

const task = createTask({ name: "multi-label" }, { kind: "labels", names: ["cat", "dog", "owl"] });
const labels = (...values: number[]) => ({ kind: "labels", values: Uint8Array.from(values) }) as const;

/** The definition, threshold by threshold. */
function byDefinition(scores: readonly number[], positive: readonly number[]): number | null {
  const all = positive.reduce((sum, bit) => sum + bit, 0);
  if (all === 0) return null;
  const thresholds = [...new Set(scores)].sort((one, other) => other - one);
  let [sum, before] = [0, 0];
  for (const threshold of thresholds) {
    const above = scores.flatMap((score, index) => (score >= threshold ? [positive[index]!] : []));
    const found = above.reduce((sum, bit) => sum + bit, 0);
    sum += (found / all - before) * (found / above.length);
    before = found / all;
  }
  return sum;
}

t.test("average precision is what its definition says, ties and all", async (t) => {
  t.ok(Math.abs(averagePrecision([0.9, 0.8, 0.7], [1, 0, 1])! - 5 / 6) < 1e-12);
  t.equal(averagePrecision([1, 2], [0, 0]), null, "nothing to find");
  const drawn = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 1 })), { maxLength: 12 });
  lawHolds(t, drawn, (samples) => {
    const [scores, positive] = [samples.map(([score]) => score), samples.map(([, bit]) => bit)];
    const [own, expected] = [averagePrecision(scores, positive), byDefinition(scores, positive)];
    expect(own === expected || Math.abs(own! - expected!) < 1e-12, `${own}, by definition ${expected}`);
  });
});

t.test("the metrics are means over labels and answers", async (t) => {
  const evaluator = task.evaluator();
  evaluator.add({
    count: 2,
    images: new Uint8Array(),
    targets: labels(1, 0, 0, 0, 1, 0),
    outputs: [2, -1, -1, 3, 4, -1],
  });
  evaluator.add({ count: 1, images: new Uint8Array(), targets: labels(1, 0, 0), outputs: [1, -2, 5] });
  // cat: scores 2, 3, 1 of positive, negative, positive: 1/2·1/2 + 1/2·2/3 = 7/12; dog: 1; owl: nothing to find.
  const { map, labelsRight } = evaluator.metrics;
  t.ok(Math.abs(map! - (100 * (7 / 12 + 1)) / 2) < 1e-9, `${map}`);
  t.ok(Math.abs(labelsRight! - (100 * 7) / 9) < 1e-9, `${labelsRight}`);
  t.strictSame(task.labelsFrom(Float32Array.of(2, -1, 0)), labels(1, 0, 0));
  const examiner = task.examiner(null, null);
  const outputs = Float32Array.of(2, -1, -1, 3, 4, -1);
  examiner.add({ count: 2, images: new Uint8Array(), targets: labels(1, 0, 0, 0, 1, 0), outputs });
  t.match(examiner.findings, {
    task: "multi-label",
    labels: [{ images: 1, found: 1, given: 2 }, { averagePrecision: 1 }, { averagePrecision: null }],
  });
});

for (const { kind, skip } of engineKinds) {
  t.test(`${kind}: the loss is binary cross-entropy, and the gradient its slope`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind, threads: 1 });
    const batch = { count: 2, images: new Uint8Array(), targets: labels(1, 0, 1, 0, 0, 1) };
    const given = random(2, "logits", [6], 3);
    const of = (values: Float32Array) =>
      ops.scope(
        () => {
          const targets = task.targets(ops, batch);
          const { loss, gradient } = task.loss(ops, ops.tensor(values, [2, 3]), targets);
          return { loss: ops.scalar(loss), gradient: Float32Array.from(ops.read(gradient)) };
        },
        () => [],
      );
    const bits = batch.targets.values;
    const probability = (logit: number) => 1 / (1 + Math.exp(-logit));
    const wanted =
      given.reduce((sum, x, at) => sum - Math.log(bits[at] === 1 ? probability(x) : 1 - probability(x)), 0) / 6;
    t.ok(Math.abs(of(given).loss - wanted) < 1e-5);
    of(given).gradient.forEach((slope, at) => {
      t.ok(Math.abs(slope - (probability(given[at]!) - bits[at]!) / 6) < 1e-6);
    });
    t.ok(Number.isFinite(of(Float32Array.of(1e4, -1e4, 1e4, 1e4, 1e4, -1e4)).loss), "no overflow");
  });
}

t.test("other targets are a defect", async (t) => {
  const values = { kind: "values", values: Float32Array.of(1, 2, 3) } as const;
  t.throws(() => task.evaluator().add({ count: 1, images: new Uint8Array(), outputs: [1, 2, 3], targets: values }), {
    message: "labels of values",
  });
});
