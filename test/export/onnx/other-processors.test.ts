import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { type Saturation, saturations } from "../../../src/config/sections/export-settings.ts";
import { lower } from "../../../src/export/onnx/lower.ts";
import { RuntimeModel } from "../../../src/export/runtime.ts";
import { batchOf } from "../../../src/export/test-batches.ts";
import { sumsSaturate } from "../../../src/onnx/saturating-sums.ts";
import { largestIndex } from "../../../src/tasks/classification/largest-index.ts";
import { emulatorMissing, runOnHaswell, saturatesOnHaswell } from "../../fixtures/emulated-x86.ts";
import { anyEngine } from "../../fixtures/engines.ts";
import { withoutMnist } from "../../fixtures/real-mnist.ts";
import { type SaturatingPlan, saturatingNetwork } from "../../fixtures/saturating-network.ts";
import { trainedLenet5 } from "../../fixtures/trained-lenet5.ts";

const full = { bits: 8, signed: false, channels: 16, sign: 1, quantized: true } as const;
const plans: Readonly<Record<string, SaturatingPlan>> = {
  "8 bits": { ...full, kind: "conv2d", weightBits: 8 },
  "8 bits, dense": { ...full, kind: "dense", weightBits: 8 },
  "8 bits, depthwise": { ...full, kind: "depthwise-conv2d", weightBits: 8 },
  "4 bits": { ...full, kind: "conv2d", weightBits: 4 },
  "2 bits": { ...full, kind: "conv2d", weightBits: 2 },
};

/** Whether sums saturate on this machine as they do there: then it computes the same. */
const saturatesHere = await sumsSaturate();
/** What a file computes on a processor without VNNI, beside what it computes here. */
const wrong: Readonly<Record<Saturation, readonly string[]>> = {
  avoid: [],
  allow: saturatesHere ? [] : ["8 bits", "8 bits, dense"],
};

t.test("x86 without VNNI computes the same where saturation is avoided", { skip: emulatorMissing() }, async (t) => {
  const folder = t.testdir();
  const images = join(folder, "images");
  const cases = saturations.flatMap((saturation) =>
    Object.entries(plans).map(([name, plan]) => ({ saturation, name, plan })),
  );
  const jobs = await Promise.all(
    cases.map(async ({ saturation, plan }, index) => {
      const network = saturatingNetwork(plan);
      const shape = [1, ...[2, 0, 1].map((axis) => network.nodes[0]!.outputShape[axis]!)];
      const pixels = new Uint8Array(shape.reduce((a, b) => a * b)).map((_, at) => (at * 37) % 256);
      writeFileSync(images, pixels);
      const model = join(folder, `${index}.onnx`);
      const { bytes } = lower(network, "compact", { input: "uint8", saturation, metadata: {} });
      writeFileSync(model, bytes);
      const here = await RuntimeModel.load(bytes, model, { threads: 1 });
      const expected = (await here.run(pixels, shape)).get("logits");
      await here.release();
      return { model, images, shape, logits: join(folder, `${index}.logits`), expected };
    }),
  );
  t.ok(saturatesOnHaswell(), "its own sums tell the tool");
  const computed = runOnHaswell(jobs);
  for (const saturation of saturations) {
    const differing = cases.filter(
      (one, index) =>
        one.saturation === saturation && JSON.stringify(computed[index]) !== JSON.stringify(jobs[index]?.expected),
    );
    t.same(
      differing.map(({ name }) => name),
      wrong[saturation],
      saturation,
    );
  }
});

const long = process.env.BAYESIAN_BITS_EXPORT_CASES !== undefined;
const skip = emulatorMissing() || (!long && "a long check: npm run test:export") || (await withoutMnist());

t.test("what a LeNet-5 of 8 bits that has learned MNIST makes of its test images there", { skip }, async (t) => {
  const images = 2000;
  const { ops } = await anyEngine();
  const { network, test } = await trainedLenet5(ops, { images, bits: [8] });
  const folder = t.testdir();
  const { forFile, shape } = batchOf(test, { network, ops, input: "uint8" });
  writeFileSync(join(folder, "images"), forFile);
  const jobs = saturations.map((saturation) => {
    const model = join(folder, `${saturation}.onnx`);
    writeFileSync(model, lower(network, "compact", { input: "uint8", saturation, metadata: {} }).bytes);
    return { model, images: join(folder, "images"), shape, logits: join(folder, `${saturation}.logits`) };
  });
  const there = runOnHaswell(jobs);
  for (const [index, saturation] of saturations.entries()) {
    const here = await RuntimeModel.load(jobs[index]!.model, saturation);
    const expected = (await here.run(forFile, shape)).get("logits");
    await here.release();
    const [classes, others] = [expected, there[index]].map((logits) => classesOf(logits));
    const different = classes!.filter((one, image) => one !== others![image]).length;
    t.comment(`${saturation}: ${different} of ${images} images of another class`);
    if (saturation === "avoid" || saturatesHere) t.strictSame(there[index], expected, "the same logits");
    else t.notSame(there[index], expected, "sums saturate");
  }
});

/** Of each image: [images, 10]. */
function classesOf(logits: ArrayLike<number> = []): readonly number[] {
  return Array.from({ length: logits.length / 10 }, (_, image) => largestIndex(logits, 10 * image, 10));
}
