import fc from "fast-check";
import t from "tap";
import { loadEngine } from "../../../src/engine/load-engine.ts";
import { createTask } from "../../../src/tasks/create-task.ts";
import { intersectionsOverUnions } from "../../../src/tasks/segmentation/pixel-confusion.ts";
import { engineKinds, random } from "../../fixtures/engines.ts";
import { expect, lawHolds } from "../../fixtures/laws.ts";

const task = createTask({ name: "segmentation" }, { kind: "masks", names: ["ground", "tree", "sky"], size: [1, 2] });
const masks = (...values: number[]) => ({ kind: "masks", values: Uint8Array.from(values) }) as const;

t.test("intersections over unions are what sets of pixels come to", async (t) => {
  const pixel = fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 }));
  lawHolds(t, fc.array(pixel, { maxLength: 12 }), (pixels) => {
    const counts = [0, 1, 2].map((truth) =>
      [0, 1, 2].map((guess) => pixels.filter(([one, other]) => one === truth && other === guess).length),
    );
    const expected = [0, 1, 2].map((label) => {
      const both = pixels.filter(([truth, guess]) => truth === label && guess === label).length;
      const either = pixels.filter(([truth, guess]) => truth === label || guess === label).length;
      return either === 0 ? null : both / either;
    });
    expect(JSON.stringify(intersectionsOverUnions(counts)) === JSON.stringify(expected), JSON.stringify(counts));
  });
});

t.test("void pixels do not count, and classes that are not there neither", async (t) => {
  const evaluator = task.evaluator();
  const outputs = [9, 0, 0, 0, 9, 0, 9, 0, 0, 0, 0, 9];
  evaluator.add({ count: 2, images: new Uint8Array(), targets: masks(0, 1, 1, 255), outputs });
  // Ground: 1 of 2; tree: 1 of 2; sky is neither seen nor taken for anything.
  t.strictSame(evaluator.metrics, { miou: 50, pixelsRight: 200 / 3 });
  t.strictSame(task.labelsFrom(Float32Array.from(outputs)), masks(0, 1, 0, 2));
  const examiner = task.examiner([1, 2, 1], null);
  examiner.add({
    count: 2,
    images: Uint8Array.of(1, 2, 3, 4),
    targets: masks(0, 1, 1, 255),
    outputs: Float32Array.from(outputs),
  });
  const { findings } = examiner;
  if (findings.task !== "segmentation") throw new Error(findings.task);
  t.strictSame(findings.confusion, [
    [1, 0, 0],
    [1, 1, 0],
    [0, 0, 0],
  ]);
  t.strictSame(
    findings.worst.map(({ index, right }) => [index, right]),
    [
      [1, 0],
      [0, 1],
    ],
  );
});

t.test("a file's masks are held against the trainer's", async (t) => {
  const compared = (runtime: number[]) => {
    const agreement = task.agreement(null);
    const trainer = [9, 0, 0, 0, 9, 0, 9, 0, 0, 0, 0, 9];
    agreement.add({ count: 2, images: new Uint8Array(), targets: masks(0, 1, 1, 255), trainer, runtime });
    return agreement;
  };
  const same = compared([9, 0, 0, 0, 9, 0, 9, 0, 0, 0, 0, 9]);
  t.equal(same.disagreement, null);
  t.match(same.result, { images: 2, metrics: { miou: 50 }, agreement: [{ key: "samePixels", value: 100 }] });
  t.match(
    compared([0, 9, 0, 9, 0, 0, 0, 9, 0, 9, 0, 0]).disagreement,
    /^right of all pixels 25\.00 % against 50\.00 % .* the same class for 0\.00 % .* 0 pixels with nearly tied/,
  );
});

for (const { kind, skip } of engineKinds) {
  t.test(
    `${kind}: the loss is the mean over the pixels that count, and the gradient its slope`,
    { skip },
    async (t) => {
      const { ops } = await loadEngine({ kind, threads: 1 });
      const of = (values: Float32Array, mask: ReturnType<typeof masks>) =>
        ops.scope(
          () => {
            const targets = task.targets(ops, { count: 2, images: new Uint8Array(), targets: mask });
            const { loss, gradient } = task.loss(ops, ops.tensor(values, [2, 1, 2, 3]), targets);
            const sums = task.sums(ops, ops.tensor(values, [2, 1, 2, 3]), targets);
            return {
              loss: ops.scalar(loss),
              gradient: Float32Array.from(ops.read(gradient)),
              shape: gradient.shape,
              sums,
            };
          },
          () => [],
        );
      const given = random(6, "logits", [12], 2);
      for (const mask of [masks(0, 1, 2, 1), masks(255, 1, 2, 255)]) {
        const { loss, gradient, shape, sums } = of(given, mask);
        const pixels = [...mask.values.keys()].filter((pixel) => mask.values[pixel] !== 255);
        const losses = pixels.map((pixel) => {
          const own = given.subarray(3 * pixel, 3 * pixel + 3);
          return Math.log(own.reduce((sum, x) => sum + Math.exp(x), 0)) - own[mask.values[pixel]!]!;
        });
        t.ok(Math.abs(loss - losses.reduce((sum, x) => sum + x, 0) / pixels.length) < 1e-5);
        t.strictSame([shape, sums.pixels], [[2, 1, 2, 3], pixels.length]);
        gradient.forEach((slope, index) => {
          const moved = (by: number) =>
            of(
              given.map((x, at) => (at === index ? x + by : x)),
              mask,
            ).loss;
          t.ok(Math.abs((moved(1e-2) - moved(-1e-2)) / 2e-2 - slope) < 1e-3, `${index}`);
        });
      }
      const nothing = of(given, masks(255, 255, 255, 255));
      t.strictSame([nothing.loss, [...nothing.gradient]], [0, new Array(12).fill(0)]);
    },
  );
}
