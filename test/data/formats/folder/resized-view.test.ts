import fc from "fast-check";
import t from "tap";
import { uniforms } from "../../../../src/core/random.ts";
import { middle, randomCrop, randomCropDraws, resizedSize } from "../../../../src/data/formats/folder/resized-view.ts";

const usual = { scale: [0.08, 1], ratio: [3 / 4, 4 / 3] } as const;
const draws = (seed: number) => uniforms({ seed, stream: "crop", counter: 0 }, randomCropDraws);

t.test("a random crop lies within the image, whatever its shape", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 900 }),
        fc.integer({ min: 1, max: 900 }),
        fc.nat(),
        (width, height, seed) => {
          const crop = randomCrop({ width, height }, usual, draws(seed));
          return (
            crop.left >= 0 &&
            crop.top >= 0 &&
            crop.width >= 1 &&
            crop.height >= 1 &&
            crop.left + crop.width <= width &&
            crop.top + crop.height <= height
          );
        },
      ),
      { seed: 1, numRuns: 2000 },
    ),
  );
});

t.test("its area and ratio are in the given ranges and reach their ends", async (t) => {
  const size = { width: 400, height: 300 };
  const crops = Array.from({ length: 3000 }, (_, seed) => randomCrop(size, usual, draws(seed)));
  const areas = crops.map(({ width, height }) => (width * height) / (400 * 300));
  const ratios = crops.map(({ width, height }) => width / height);
  const within = (values: number[], low: number, high: number) => {
    t.ok(Math.min(...values) > low - 0.01 && Math.max(...values) < high + 0.02);
    t.ok(
      Math.min(...values) < low + 0.02 && Math.max(...values) > high - 0.03,
      `${Math.min(...values)}…${Math.max(...values)}`,
    );
  };
  within(areas, 0.08, 1);
  within(ratios, 3 / 4, 4 / 3);
});

t.test("an image in which no crop fits gives its largest allowed middle", async (t) => {
  const whole = { scale: [1, 1], ratio: [3 / 4, 4 / 3] } as const;
  t.same(randomCrop({ width: 1000, height: 90 }, whole, draws(1)), { left: 440, top: 0, width: 120, height: 90 });
  t.same(randomCrop({ width: 90, height: 1000 }, whole, draws(1)), { left: 0, top: 440, width: 90, height: 120 });
});

t.test("the shorter side is scaled, and the middle is 224 of 256", async (t) => {
  const large = resizedSize({ width: 500, height: 375 }, 256, [224, 224, 3]);
  t.same(large, { width: 341, height: 256 });
  t.same(middle(large, { width: 224, height: 224 }), { left: 59, top: 16, width: 224, height: 224 });
  t.same(resizedSize({ width: 3, height: 900 }, 28, [28, 28, 1]), { width: 28, height: 8400 });
});
