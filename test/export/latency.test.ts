import t from "tap";
import { timeBatches } from "../../src/export/latency.ts";

/** Times programs that take so many milliseconds for an image, by a clock that they alone move. */
async function timed({ perImage, seconds = 4 }: { perImage: readonly [number, number]; seconds?: number }) {
  let clock = 0;
  let images = 0;
  const runsOf = (batch: number) => {
    const program = (index: 0 | 1) => async () => {
      clock += perImage[index] * batch;
      images += batch;
    };
    return [program(0), program(1)] as const;
  };
  const measured = await timeBatches(runsOf, { seconds, now: () => clock });
  return {
    batches: measured.map(({ batch, times }) => [batch, times[0].length]),
    measured,
    seconds: clock / 1000,
    images,
  };
}

t.test("a fast network is measured 40 times at each batch", async (t) => {
  const { batches, measured, seconds } = await timed({ perImage: [0.1, 0.2] });
  t.same(batches, [
    [1, 40],
    [32, 40],
  ]);
  t.ok(seconds < 4);
  for (const [index, milliseconds] of [3.2, 6.4].entries()) {
    t.ok(measured[1]!.times[index]!.every((time) => Math.abs(time - milliseconds) < 1e-6));
  }
});

t.test("a slow network takes no longer than it may, and a batch that does not fit is left out", async (t) => {
  for (const [perImage, expected] of [
    [10, [1, 32]],
    [15, [1, 32]],
    [40, [1]],
    [500, [1]],
  ] as const) {
    const { batches, seconds } = await timed({ perImage: [perImage, perImage] });
    t.same(
      batches.map(([batch]) => batch),
      expected,
      `${perImage} ms`,
    );
    t.ok(seconds <= 4, `${perImage} ms for an image: ${seconds} s`);
  }
});

t.test("the slowest network is run twice: once to warm up, once for its time", async (t) => {
  const { batches, images } = await timed({ perImage: [60_000, 60_000] });
  t.same(batches, [[1, 1]]);
  t.equal(images, 4);
});
