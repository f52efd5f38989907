import t from "tap";
import type { RegressionLoss } from "../../../src/config/sections/task-settings.ts";
import { loadEngine } from "../../../src/engine/load-engine.ts";
import { createTask } from "../../../src/tasks/create-task.ts";
import { engineKinds } from "../../fixtures/engines.ts";

const outputs = [0, 0.5, 3, -2] as const;
const targets = { kind: "values", values: Float32Array.of(0, 0, 0, 0) } as const;

// Mean loss of the differences 0, 0.5, 3 and -2, and its slopes, by hand.
const cases: readonly [RegressionLoss, label: string, loss: number, slopes: readonly number[]][] = [
  [{ name: "squared" }, "squared error", (0.25 + 9 + 4) / 4, [0, 0.25, 1.5, -1]],
  [{ name: "absolute" }, "absolute error", 5.5 / 4, [0, 0.25, 0.25, -0.25]],
  [{ name: "huber", delta: 1 }, "Huber loss (delta 1)", (0.125 + 2.5 + 1.5) / 4, [0, 0.125, 0.25, -0.25]],
  [{ name: "huber", delta: 2 }, "Huber loss (delta 2)", (0.125 + 4 + 2) / 4, [0, 0.125, 0.5, -0.5]],
];

for (const { kind, skip } of engineKinds) {
  t.test(`${kind}: each loss is what it is by hand`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind, threads: 1 });
    for (const [loss, label, expected, slopes] of cases) {
      const task = createTask({ name: "regression", loss }, { kind: "values", outputs: 2 });
      t.equal(task.description.loss.label, label);
      ops.scope(
        () => {
          const uploaded = task.targets(ops, { count: 2, images: new Uint8Array(), targets });
          const lost = task.loss(ops, ops.tensor(Float32Array.from(outputs), [2, 2]), uploaded);
          t.ok(Math.abs(ops.scalar(lost.loss) - expected) < 1e-6, `${label}: ${ops.scalar(lost.loss)}`);
          t.strictSame(
            [...ops.read(lost.gradient)].map((value) => value + 0),
            slopes,
            label,
          );
        },
        () => [],
      );
    }
  });
}
