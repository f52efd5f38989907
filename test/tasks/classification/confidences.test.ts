import t from "tap";
import { calibrate } from "../../../src/tasks/classification/calibrate.ts";
import { Confidences } from "../../../src/tasks/classification/confidences.ts";
import { lostImages, thumbnail, worstImages } from "../../../src/tasks/classification/worst-images.ts";

/** Logits whose softmax is exactly these probabilities. */
const logitsOf = (rows: readonly (readonly number[])[]) => Float32Array.from(rows.flat(), Math.log);

/** Images of one pixel, their number. */
function confidencesOf(rows: readonly (readonly number[])[], labels: readonly number[]): Confidences {
  const confidences = new Confidences([1, 1, 1]);
  confidences.add({ logits: logitsOf(rows), images: Uint8Array.from(rows.keys()), labels: Int32Array.from(labels) });
  return confidences;
}

const close = (t: { ok(value: boolean, message: string): boolean }, actual: number, expected: number) =>
  t.ok(Math.abs(actual - expected) < 1e-6, `${actual}`);

t.test("logits in batches give each image its confidence, and the truth's share of a mistake", async (t) => {
  const confidences = new Confidences([1, 1, 1]);
  const add = (row: readonly number[], label: number) =>
    confidences.add({ logits: logitsOf([row]), images: Uint8Array.of(label), labels: Int32Array.of(label) });
  add([0.7, 0.3], 0);
  add([0.9, 0.1], 1);
  add([0.2, 0.8], 1);
  t.strictSame(confidences.correct, [true, false, true]);
  [0.7, 0.9, 0.8].forEach((value, image) => {
    close(t, confidences.confidence[image]!, value);
  });
  t.equal(confidences.mistakes.length, 1);
  close(t, confidences.mistakes[0]!.truthProbability, 0.1);
});

t.test("logits of any size stay probabilities", async (t) => {
  const confidences = new Confidences([1, 1, 1]);
  const logits = Float32Array.of(1e30, 0, -1e30);
  confidences.add({ logits, images: Uint8Array.of(0), labels: Int32Array.of(1) });
  t.equal(confidences.confidence[0], 1);
  t.equal(confidences.mistakes[0]!.truthProbability, 0);
});

t.test("of many mistakes the worst 24 are kept, with their own pixels", async (t) => {
  const confidences = new Confidences([1, 1, 1]);
  const order = Array.from({ length: 60 }, (_, index) => (index * 37) % 60);
  const images = Uint8Array.from(order);
  const logits = logitsOf(order.map((rank) => [0.6 + rank / 200, 0.4 - rank / 200]));
  confidences.add({ logits, images, labels: new Int32Array(60).fill(1) });
  images.fill(0);
  t.strictSame(
    confidences.mistakes.map(({ pixels }) => pixels[0]),
    Array.from({ length: 24 }, (_, index) => 59 - index),
  );
});

t.test(
  "calibration: four images at 0.75 of which three are right have no error; one at 0.95 and wrong has 0.95",
  async (t) => {
    const quarter = [0.75, 0.25];
    close(t, calibrate(confidencesOf([quarter, quarter, quarter, quarter], [0, 0, 0, 1])).expectedError, 0);
    const { bins, expectedError } = calibrate(confidencesOf([[0.95, 0.05]], [1]));
    close(t, expectedError, 0.95);
    t.strictSame(
      bins.map(({ images }) => images),
      [...new Array(14).fill(0), 1],
    );
  },
);

t.test("the worst images are the wrong ones, most confident first, as pictures", async (t) => {
  const confidences = confidencesOf(
    [
      [0.6, 0.4],
      [0.8, 0.2],
      [0.99, 0.01],
      [0.9, 0.1],
    ],
    [1, 1, 0, 1],
  );
  const worst = worstImages(confidences);
  t.strictSame(
    worst.map(({ index, truth, predicted }) => [index, truth, predicted]),
    [
      [3, 1, 0],
      [1, 1, 0],
      [0, 1, 0],
    ],
  );
  t.equal(Buffer.from(worst[0]!.png, "base64").toString("latin1", 1, 4), "PNG");
});

t.test("held against float32, an image is right in both, lost, gained or wrong in both", async (t) => {
  const float = Float32Array.of(0.5, 0.875, 0.75, 0, 0, 0.625);
  const confidences = new Confidences([1, 1, 1], float);
  const rows = [
    [0.9, 0.1],
    [0.6, 0.4],
    [0.8, 0.2],
    [0.7, 0.3],
    [0.7, 0.3],
    [0.9, 0.1],
  ];
  const add = (from: number, to: number, labels: readonly number[]) =>
    confidences.add({
      logits: logitsOf(rows.slice(from, to)),
      images: Uint8Array.from({ length: to - from }, (_, image) => from + image),
      labels: Int32Array.from(labels),
    });
  add(0, 4, [0, 1, 1, 0]);
  t.equal(lostImages(confidences), null, "images are missing");
  add(4, 6, [1, 0]);
  const { images, ...counts } = lostImages(confidences)!;
  t.strictSame(counts, { bothRight: 2, lost: 2, gained: 1, bothWrong: 1 });
  t.match(
    images,
    [
      { index: 2, truth: 1, predicted: 0, floatConfidence: 0.75 },
      { index: 1, truth: 1, predicted: 0, floatConfidence: 0.875 },
    ],
    "most confident first",
  );
  t.equal(lostImages(new Confidences([1, 1, 1])), null, "nothing is known of float32");
});

t.test("a large image is scaled down by means; a channel that no picture has is left out", async (t) => {
  const wide = Uint8Array.from({ length: 2 * 128 }, (_, index) => (index % 2) * 100);
  const small = thumbnail(wide, [2, 128, 1]);
  t.strictSame([small.height, small.width, small.channels], [1, 64, 1]);
  t.ok(small.pixels.every((value) => value === 50));
  t.strictSame([...thumbnail(Uint8Array.of(1, 2, 3, 4), [1, 2, 2]).pixels], [1, 3]);
});
