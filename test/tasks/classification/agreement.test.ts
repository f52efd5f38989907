import t from "tap";
import { ClassAgreement, type ClassifiedBatch } from "../../../src/tasks/classification/class-agreement.ts";

/** `count` images of class 0 with clear logits of standard deviation √2, of which runtime and trainer hold the same. */
const clear = (count: number): ClassifiedBatch => {
  const logits = Array.from({ length: count }, () => [3, 0, 0]).flat();
  return { runtime: logits, trainer: logits, labels: new Array(count).fill(0) };
};

/** One image to which the runtime gives class 1 and the trainer, `margin` standard deviations ahead, class 0. */
const other = (margin: number, label: number): ClassifiedBatch => ({
  runtime: [0, 3, -3],
  trainer: tied(margin),
  labels: [label],
});

/** Three logits of standard deviation 1 whose first lies `margin` above the second; both lie far above the third. */
function tied(margin: number): readonly number[] {
  // Of (m, 0, c) the variance is 2(m² − m·c + c²)/9, which is 1 for the lower root c.
  const c = (margin - Math.sqrt(margin * margin - 4 * (margin * margin - 4.5))) / 2;
  return [margin, 0, c];
}

const found = (batches: readonly ClassifiedBatch[], trainerTop1: number | null = null) => {
  const agreement = new ClassAgreement(3, trainerTop1);
  for (const batch of batches) agreement.add(batch);
  return { ...agreement.result, agrees: agreement.agrees };
};

t.test("equal logits agree, and top-1 is what the labels say", async (t) => {
  t.same(found([clear(10), { ...clear(1), labels: [1] }, { ...clear(1), labels: [2] }]), {
    images: 12,
    top1: 1000 / 12,
    trainerTop1: 1000 / 12,
    sameClass: 100,
    nearTies: 0,
    agrees: true,
  });
});

t.test("another class counts from 0.1 % of the images on", async (t) => {
  const differing = (count: number, label: number) => Array.from({ length: count }, () => other(0.2, label));
  // Label 2: both are wrong, so that top-1 stays.
  t.match(found([clear(9990), ...differing(10, 2)]), { sameClass: 99.9, nearTies: 0, agrees: true });
  t.match(found([clear(9989), ...differing(11, 2)]), { nearTies: 0, agrees: false });
  t.match(found([clear(99), ...differing(1, 2)]), { sameClass: 99, agrees: true }, "one of few images may differ");
  t.match(found([clear(98), ...differing(2, 2)]), { agrees: false });
});

t.test("top-1 may be 0.05 points apart", async (t) => {
  const differing = (count: number) => Array.from({ length: count }, () => other(0.2, 0));
  t.match(found([clear(9995), ...differing(5)]), { top1: 99.95, trainerTop1: 100, agrees: true });
  t.match(found([clear(9994), ...differing(6)]), { top1: 99.94, trainerTop1: 100, agrees: false });
  t.match(found([clear(10000)], 99.95), { trainerTop1: 99.95, agrees: true });
  t.match(found([clear(10000)], 99.94), { trainerTop1: 99.94, agrees: false });
});

t.test(
  "near ties do not count as other classes, and each may be one image of top-1, up to 1 % of the images",
  async (t) => {
    const tiedImages = (count: number, label: number) => Array.from({ length: count }, () => other(0.09, label));
    for (const [label, top1, trainerTop1] of [
      [0, 99, 100],
      [1, 100, 99],
      [2, 99, 99],
    ] as const) {
      t.match(found([clear(9900), ...tiedImages(100, label)]), {
        top1,
        trainerTop1,
        sameClass: 99,
        nearTies: 100,
        agrees: true,
      });
      t.match(found([clear(9899), ...tiedImages(101, label)]), { nearTies: 101, agrees: false });
    }
    const images = [clear(9950), ...tiedImages(50, 0)];
    t.match(found(images, 98.95), { top1: 99.5, trainerTop1: 98.95, agrees: true }, "0.05 points and the ties");
    t.match(found(images, 98.94), { agrees: false });
    t.match(found([...images, ...images], 98.94), { nearTies: 100, agrees: false }, "a share of the images");
    const wrong = [clear(9950), ...tiedImages(50, 2)];
    t.match(found(wrong, 99.45), { top1: 99.5, agrees: true });
    t.match(found(wrong, 99.44), { agrees: false }, "where both are wrong, a tie decides nothing");
  },
);

t.test("a tie is measured in standard deviations of the batch's logits", async (t) => {
  const scaled = (margin: number, factor: number): ClassifiedBatch => {
    const { runtime, trainer, labels } = other(margin, 2);
    return { runtime, trainer: Array.from(trainer, (value) => factor * value + 5), labels };
  };
  for (const factor of [1e-3, 1, 1e3]) {
    t.match(found([scaled(0.099, factor)]), { nearTies: 1 }, `${factor}`);
    t.match(found([scaled(0.101, factor)]), { nearTies: 0 }, `${factor}`);
  }
  // Of two classes, a single image's logits always lie two of their own deviations apart.
  const two = new ClassAgreement(2, null);
  two.add({ runtime: [5, -5, 0, 0.1, 0, 0.1], trainer: [5, -5, 0.1, 0, 0.5, 0], labels: [0, 0, 0] });
  t.match(two.result, { nearTies: 1, sameClass: 100 / 3 });
});
