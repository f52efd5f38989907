import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { type Saturation, saturations } from "../../../src/config/sections/export-settings.ts";
import { lower } from "../../../src/export/onnx/lower.ts";
import { RuntimeModel } from "../../../src/export/runtime.ts";
import { emulatorMissing, runOnHaswell, saturatesOnHaswell } from "../../fixtures/emulated-x86.ts";
import { type SaturatingPlan, saturatingNetwork } from "../../fixtures/saturating-network.ts";

const full = { bits: 8, signed: false, channels: 16, sign: 1, quantized: true } as const;
const plans: Readonly<Record<string, SaturatingPlan>> = {
  "8 bits": { ...full, kind: "conv2d", weightBits: 8 },
  "8 bits, dense": { ...full, kind: "dense", weightBits: 8 },
  "8 bits, depthwise": { ...full, kind: "depthwise-conv2d", weightBits: 8 },
  "4 bits": { ...full, kind: "conv2d", weightBits: 4 },
  "2 bits": { ...full, kind: "conv2d", weightBits: 2 },
};

/** What a file computes on a processor without VNNI, beside what it computes here. */
const wrong: Readonly<Record<Saturation, readonly string[]>> = { avoid: [], allow: ["8 bits", "8 bits, dense"] };

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
