import fc from "fast-check";
import t from "tap";
import { loadEngine } from "../../../src/engine/load-engine.ts";
import { createTask } from "../../../src/tasks/create-task.ts";
import { areaUnderCurve } from "../../../src/tasks/reconstruction/area-under-curve.ts";
import { engineKinds, random } from "../../fixtures/engines.ts";
import { expect, lawHolds } from "../../fixtures/laws.ts";

const samples = { name: "made", imageShape: [2, 1, 1], normalization: { mean: [0.5], deviation: [0.5] } };
const classes = { kind: "classes", names: ["good", "bad"] } as const;
const task = createTask({ name: "reconstruction", anomalies: ["bad"] }, classes, samples);

t.test("AUC is the share of pairs in their right order", async (t) => {
  const scores = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 8 });
  lawHolds(t, fc.tuple(scores, scores), ([positive, negative]) => {
    const pairs = positive.flatMap((one) => negative.map((other) => (one > other ? 1 : one === other ? 0.5 : 0)));
    const expected = pairs.reduce((sum: number, pair) => sum + pair, 0) / pairs.length;
    expect(Math.abs(areaUnderCurve(positive, negative) - expected) < 1e-12, `${expected}`);
  });
  t.equal(areaUnderCurve([], [1]), 0.5, "nothing to tell apart");
});

/** Three images of two pixels, the last an anomaly, as the network sees them: (-1, 1), (1, 1), (-1, -1). */
const batch = {
  count: 3,
  images: Uint8Array.of(0, 255, 255, 255, 0, 0),
  targets: { kind: "classes", values: Int32Array.of(0, 0, 1) },
} as const;

t.test("errors are of the image itself, and anomalies count for the AUC alone", async (t) => {
  const evaluator = task.evaluator();
  // Errors 0.5, 0.125 and 2.
  evaluator.add({ ...batch, outputs: [0, 1, 1, 0.5, 1, -1] });
  // About its mean the first pixel varies by 2, the second not at all: R² = 1 - 2·0.625/2.
  const { auc, mse, r2 } = evaluator.metrics;
  t.equal(auc, 1);
  t.ok(Math.abs(mse! - 0.3125) < 1e-6 && Math.abs(r2! - (1 - 1.25 / 2)) < 1e-6, `${mse}, ${r2}`);
  t.match(task.description.metrics[0], { key: "auc", chance: 0.5 });
  const plain = createTask({ name: "reconstruction" }, { kind: "none" }, samples);
  t.match(plain.description.metrics, [{ key: "mse" }, { key: "r2" }]);

  const examiner = task.examiner([2, 1, 1], null);
  examiner.add({ ...batch, outputs: Float32Array.of(0, 1, 1, 0.5, 1, -1) });
  const findings = examiner.findings;
  if (findings.task !== "reconstruction") throw new Error(findings.task);
  t.strictSame(
    findings.worst.map(({ index }) => index),
    [0, 1],
  );
  t.strictSame(
    findings.missed.map(({ index }) => index),
    [2],
  );
  t.match(findings.classes, [
    { truth: 0, anomaly: false, images: 2 },
    { truth: 1, anomaly: true, images: 1 },
  ]);
  const count = (bins: readonly number[] | null) => bins?.reduce((sum, images) => sum + images, 0);
  t.strictSame([count(findings.bins.others), count(findings.bins.anomalies)], [2, 1]);
});

t.test("where all images are anomalies, figures are finite", async (t) => {
  const evaluator = task.evaluator();
  evaluator.add({
    ...{ count: 1, images: Uint8Array.of(0, 0), outputs: [1, 1] },
    targets: { kind: "classes", values: Int32Array.of(1) },
  });
  t.strictSame(evaluator.metrics, { auc: 0.5, mse: 0, r2: 0 });
});

t.test("texts and values are refused", async (t) => {
  const of = (samples: object) =>
    createTask({ name: "reconstruction" }, classes, { name: "npz", imageShape: [8], normalization: null, ...samples });
  const message = (what: string) =>
    new RegExp(`task\\.name: reconstruction: expected data of images, .* gives ${what}`);
  t.throws(() => of({ tokens: { vocabulary: 9, tokenizer: null } }), { name: "UsageError", message: message("texts") });
  t.throws(() => of({}), { name: "UsageError", message: message("values") });
});

for (const { kind, skip } of engineKinds) {
  t.test(`${kind}: the loss is the squared error of normalised pixels`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind, threads: 1 });
    const given = random(3, "outputs", [6]);
    const wanted = [-1, 1, 1, 1, -1, -1];
    ops.scope(
      () => {
        const { loss, gradient } = task.loss(ops, ops.tensor(given, [3, 2, 1, 1]), task.targets(ops, batch));
        const squares = given.reduce((sum, value, at) => sum + (value - wanted[at]!) ** 2, 0) / 6;
        t.ok(Math.abs(ops.scalar(loss) - squares) < 1e-5);
        t.strictSame(gradient.shape, [3, 2, 1, 1]);
        ops.read(gradient).forEach((slope, at) => {
          t.ok(Math.abs(slope - (2 * (given[at]! - wanted[at]!)) / 6) < 1e-5);
        });
      },
      () => [],
    );
  });
}
