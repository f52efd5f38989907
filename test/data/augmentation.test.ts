import fc from "fast-check";
import t from "tap";
import { copyChanged, drawChange, imageDraws } from "../../src/data/augmentation.ts";

/** What `copyChanged` must give, pixel by pixel: 0 where the window shows what lies beyond the image. */
function expected(
  image: readonly number[],
  [height, width, channels]: [number, number, number],
  down: number,
  right: number,
  flip: boolean,
) {
  return Array.from({ length: height * width * channels }, (_, at) => {
    const channel = at % channels;
    const column = Math.floor(at / channels) % width;
    const row = Math.floor(at / channels / width) + down;
    const from = (flip ? width - 1 - column : column) + right;
    const inside = row >= 0 && row < height && from >= 0 && from < width;
    return inside ? image[(row * width + from) * channels + channel]! : 0;
  });
}

t.test("a window that moves shows the image shifted, black beyond it, and flipped if so drawn", async (t) => {
  const size = fc.integer({ min: 1, max: 9 });
  const offset = fc.integer({ min: -10, max: 10 });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        size,
        size,
        fc.constantFrom(1, 3),
        offset,
        offset,
        fc.boolean(),
        (height, width, channels, down, right, flip) => {
          const image = Array.from({ length: height * width * channels }, (_, at) => 1 + (at % 250));
          // Between other images: nothing of them may be read or written.
          const from = Uint8Array.from([255, 255, ...image, 255]);
          const to = new Uint8Array(image.length + 3);
          copyChanged(from, 2, to, 1, [height, width, channels], { down, right, flip });
          const whole = [0, ...expected(image, [height, width, channels], down, right, flip), 0, 0];
          return to.join() === whole.join();
        },
      ),
      { seed: 1, numRuns: 1000 },
    ),
  );
});

t.test("the change of an image is a function of seed, epoch and number, and spread evenly", async (t) => {
  const augmentation = { crop: { padding: 2 }, flip: true };
  const change = (epoch: number, index: number, seed = 1) =>
    drawChange(imageDraws({ seed, epoch, index }, 3), augmentation);
  t.same(change(3, 70), change(3, 70));
  const changes = Array.from({ length: 5000 }, (_, index) => change(0, index));
  for (const key of ["down", "right"] as const) {
    const counts = [-2, -1, 0, 1, 2].map((value) => changes.filter((one) => one[key] === value).length);
    t.ok(
      counts.every((count) => Math.abs(count - 1000) < 120),
      `${key}: ${counts}`,
    );
  }
  const flips = changes.filter(({ flip }) => flip).length;
  t.ok(Math.abs(flips - 2500) < 150, `${flips} of 5000 are flipped`);
  const other = (changed: (index: number) => unknown) =>
    changes.slice(0, 100).filter((one, index) => JSON.stringify(one) !== JSON.stringify(changed(index))).length;
  t.ok(other((index) => change(1, index)) > 80, "another epoch");
  t.ok(other((index) => change(0, index, 2)) > 80, "another seed");
  t.ok(other((index) => change(0, index + 2 ** 31)) > 80, "far images");
});

t.test("without crop and flip nothing changes", async (t) => {
  const change = drawChange(imageDraws({ seed: 1, epoch: 0, index: 0 }, 3), { flip: false });
  t.match(change, { down: 0, right: 0, flip: false });
});
