import t from "tap";
import type { Targets } from "../../../src/data/targets.ts";
import { loadEngine } from "../../../src/engine/load-engine.ts";
import { createTask } from "../../../src/tasks/create-task.ts";
import { distilled } from "../../../src/tasks/distillation/distilled.ts";
import { divergenceFrom } from "../../../src/tasks/distillation/divergence-from.ts";
import { anyEngine, engineKinds, random } from "../../fixtures/engines.ts";
import { classifying } from "../../fixtures/tasks.ts";

const [count, outputs, variance] = [3, 4, 2.5];
const teacher = Float32Array.from(random(3, "teacher", [count, outputs]));
const labelled = {
  classification: { kind: "classes", values: Int32Array.of(0, 3, 1) },
  regression: { kind: "values", values: Float32Array.from(random(4, "values", [count, outputs])) },
} as const satisfies Record<string, Targets>;
const tasks = {
  classification: classifying(outputs),
  regression: createTask({ name: "regression" }, { kind: "values", outputs }),
};

for (const { kind, skip } of engineKinds) {
  t.test(`${kind}: the loss is the distance from the teacher, and the gradient its slope`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind, threads: 1 });
    for (const name of ["classification", "regression"] as const) {
      for (const weight of [0, 0.3, 1]) {
        const own = tasks[name];
        const task = distilled(own, { temperature: 2, weight, variance: () => variance });
        const batch = { count, images: new Uint8Array(), targets: { ...labelled[name], teacher } };
        const given = Float32Array.from(random(5, "student", [count, outputs]));
        const lossAt = (values: Float32Array, of = task) =>
          ops.scope(
            () => {
              const { loss, gradient } = of.loss(ops, ops.tensor(values, [count, outputs]), of.targets(ops, batch));
              return { loss: ops.scalar(loss), gradient: Float32Array.from(ops.read(gradient)) };
            },
            () => [],
          );
        const { loss, gradient } = lossAt(given);
        const slopes = Array.from(given, (_, index) => {
          const moved = (by: number) => lossAt(given.map((value, at) => (at === index ? value + by : value))).loss;
          return (moved(1e-2) - moved(-1e-2)) / 2e-2;
        });
        const worst = Math.max(...slopes.map((slope, index) => Math.abs(slope - gradient[index]!)));
        t.ok(worst < 2e-3, `${name}, ${weight}: ${worst}`);
        if (weight === 0) t.equal(loss, lossAt(given, own).loss, "the task's own");
        if (weight === 1 && name === "regression") {
          const squares = given.reduce((sum, value, index) => sum + (value - teacher[index]!) ** 2, 0);
          t.ok(Math.abs(loss - squares / given.length / variance) < 1e-5);
        }
        if (weight === 1) t.ok(Math.abs(lossAt(teacher).loss) < 1e-6, "who agrees has nothing to learn");
      }
    }
  });
}

t.test("the loss has its own name, and the figures stay the task's", async (t) => {
  const { description } = distilled(classifying(4), { temperature: 4, weight: 0.75, variance: () => 1 });
  t.equal(description.loss.label, "0.75 · divergence from the teacher at temperature 4 + 0.25 · cross-entropy");
  t.strictSame(description.metrics, classifying(4).description.metrics);
});

t.test("at any temperature, chance is what the uniform distribution comes to at most", async (t) => {
  for (const temperature of [1, 4]) {
    const { loss } = distilled(classifying(4), { temperature, weight: 1, variance: () => 1 }).description;
    const sure = divergenceFrom([1000, 0, 0, 0], [0, 0, 0, 0], { classes: 4, temperature });
    t.ok(Math.abs(loss.chance! - sure.loss) < 1e-9, `${loss.chance}, ${sure.loss}`);
  }
});

t.test("a batch without its teacher's outputs is a defect", async (t) => {
  const task = distilled(classifying(4), { temperature: 1, weight: 1, variance: () => 1 });
  const { ops } = await anyEngine();
  const batch = { count, images: new Uint8Array(), targets: labelled.classification };
  t.throws(() => task.targets(ops, batch), { message: "a batch without its teacher's outputs" });
});
