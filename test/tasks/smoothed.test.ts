import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import { createTask } from "../../src/tasks/create-task.ts";
import { smoothed } from "../../src/tasks/smoothed.ts";
import { engineKinds, random } from "../fixtures/engines.ts";
import { classifying } from "../fixtures/tasks.ts";

const [count, classes, share] = [5, 4, 0.2];
const labels = Int32Array.of(0, 3, 1, 1, 2);
const logits = Float32Array.from(random(5, "logits", [count, classes]));

for (const { kind, skip } of engineKinds) {
  t.test(
    `${kind}: the loss is the cross-entropy with the smoothed labels, the gradient softmax less these`,
    { skip },
    async (t) => {
      const { ops } = await loadEngine({ kind, threads: 1 });
      const task = smoothed(classifying(classes), share);
      const batch = { count, images: new Uint8Array(), targets: { kind: "classes", values: labels } } as const;
      const { loss, gradient } = ops.scope(
        () => {
          const found = task.loss(ops, ops.tensor(logits, [count, classes]), task.targets(ops, batch));
          return { loss: ops.scalar(found.loss), gradient: Float32Array.from(ops.read(found.gradient)) };
        },
        () => [],
      );
      let expected = 0;
      for (let image = 0; image < count; image++) {
        const own = Array.from(logits.subarray(image * classes, (image + 1) * classes));
        const total = own.reduce((sum, logit) => sum + Math.exp(logit), 0);
        for (const [index, logit] of own.entries()) {
          const wanted = share / classes + (index === labels[image] ? 1 - share : 0);
          const probability = Math.exp(logit) / total;
          expected -= (wanted * Math.log(probability)) / count;
          const slope = gradient[image * classes + index]!;
          t.ok(Math.abs(slope - (probability - wanted) / count) < 1e-6, `${image}, ${index}: ${slope}`);
        }
      }
      t.ok(Math.abs(loss - expected) < 1e-5, `${loss}, not ${expected}`);
    },
  );
}

t.test("what is no class cannot be smoothed", async (t) => {
  const regression = createTask({ name: "regression" }, { kind: "values", outputs: 2 });
  const segmentation = createTask({ name: "segmentation" }, { kind: "masks", names: ["a", "b"], size: [2, 2] });
  t.throws(() => smoothed(segmentation, share), { name: "UsageError", message: /this is segmentation/ });
  t.throws(() => smoothed(regression, share), { name: "UsageError", message: /labelSmoothing: .* regression/ });
});
