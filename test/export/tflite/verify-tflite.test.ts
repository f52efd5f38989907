import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { exportForms, onnxForms } from "../../../src/config/sections/export-settings.ts";
import { silent } from "../../../src/core/progress.ts";
import { exportFile } from "../../../src/export/export-file.ts";
import { allForms, canVerify } from "../../../src/export/export-forms.ts";
import { LiteRt, liteRtMissing } from "../../../src/export/tflite/litert.ts";
import { lowerTflite } from "../../../src/export/tflite/lower-tflite.ts";
import { verifyTflite } from "../../../src/export/tflite/verify-tflite.ts";
import { anyEngine } from "../../fixtures/engines.ts";
import { frozenNetwork, plainPlan, randomImages, withOneWeightChanged } from "../../fixtures/frozen-networks.ts";
import { withoutLiteRt } from "../../fixtures/litert.ts";
import { classifying } from "../../fixtures/tasks.ts";

const { ops } = await anyEngine();
const network = frozenNetwork(plainPlan);
const lowering = { input: "uint8", metadata: {} } as const;
const lowered = lowerTflite(network, lowering);
const options = () =>
  ({
    ...{ network, ops, test: randomImages(network, 150), reporter: silent },
    agreement: classifying(network.classes.length).agreement(null),
    ...lowering,
  }) as const;

t.test("an export in LiteRT", { skip: withoutLiteRt() }, async (t) => {
  for (const [form, name] of [
    ["tflite", "model.tflite"],
    ["c-array", "model.h"],
  ] as const) {
    const folder = t.testdir();
    const file = join(folder, name);
    const record = await exportFile({ ...options(), form, file, unpruned: network });
    t.match(record, {
      ...{ form, file, bytes: readFileSync(file).length },
      verification: { runtime: /^LiteRT \d/, images: 150, agreement: [{ key: "sameClass", value: 100 }] },
    });
    t.notOk("opset" in record);
    t.strictSame(readdirSync(folder), [name], "nothing else is left");
  }
});

t.test(
  "int8 images: pixels less 128, which layers read as they are, or normalised",
  { skip: withoutLiteRt() },
  async (t) => {
    const gray = { ...network, normalization: { mean: [0], deviation: [1] } };
    for (const [what, one] of Object.entries({ "one grid for all channels": gray, "channels apart": network })) {
      const file = join(t.testdir(), "model.tflite");
      const record = await exportFile({ ...options(), network: one, input: "int8", form: "tflite", file });
      t.match(record.verification, { agreement: [{ key: "sameClass", value: 100 }] }, what);
    }
    const onnx = exportFile({ ...options(), input: "int8", form: "compact", file: "model.onnx" });
    await t.rejects(onnx, {
      name: "UserError",
      message: /files of form compact take uint8 pixels or normalised images/,
    });
  },
);

t.test("a file that is not what was written is refused, before it runs", async (t) => {
  const file = "model.tflite";
  const check = (bytes: Uint8Array) => verifyTflite(bytes, { ...options(), lowered, file });
  const other = lowerTflite(withOneWeightChanged(network, "conv2"), lowering).bytes;
  await t.rejects(check(other), {
    name: "UserError",
    message: /differs from the trained network, first at tensor conv2/,
  });
  await t.rejects(check(lowered.bytes.subarray(0, 2000)), {
    name: "UserError",
    message: /model\.tflite: .* is damaged/,
  });
  await t.rejects(check(new Uint8Array()), { name: "UserError", message: /not a TensorFlow Lite file/ });
  // The same tensors, but other outputs.
  const shown = lowered.withOutputs(["quantizer1.codes"]);
  await t.rejects(check(shown), { name: "UserError", message: /that its operators make, in how it is computed/ });
});

t.test("a file that LiteRT cannot run, and a process that has ended", { skip: withoutLiteRt() }, async (t) => {
  const runtime = await LiteRt.start();
  await t.rejects(runtime.load(new Uint8Array(40), "odd.tflite"), {
    name: "UserError",
    message: /odd\.tflite: LiteRT .* cannot load it/,
  });
  const model = await runtime.load(lowered.bytes, "model.tflite");
  await t.rejects(model.run(new Uint8Array(8), [1, 2, 2, 2]), {
    name: "UserError",
    message: /model\.tflite: LiteRT .* cannot run it on an input of 1 x 2 x 2 x 2/,
  });
  await runtime.stop();
  await t.rejects(runtime.load(lowered.bytes, "model.tflite"), { name: "UserError", message: /LiteRT has ended/ });
});

t.test("without LiteRT a file is written only where that is wished", async (t) => {
  const cache = process.env.XDG_CACHE_HOME;
  t.teardown(() => {
    if (cache === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = cache;
  });
  process.env.XDG_CACHE_HOME = t.testdir();
  t.match(liteRtMissing(), /python3 -m venv .* && .*pip install ai-edge-litert==/);
  const file = join(t.testdir(), "model.tflite");
  const refused = { name: "UserError", message: /cannot export tflite: LiteRT.*pip install.*--unverified/ };
  t.throws(() => canVerify("tflite", {}), refused);
  t.ok(canVerify("packed", {}));
  const warnings: string[] = [];
  const reporter = { ...silent, warn: (message: string) => warnings.push(message) };
  t.strictSame(allForms("int8", { codebooks: false, reporter }), [
    "int8",
    ...onnxForms.filter((form) => form !== "int8"),
  ]);
  t.match(warnings, [/^no file of form tflite: LiteRT.*--unverified/, /^no file of form c-array: LiteRT/]);
  t.strictSame(allForms("compact", { codebooks: false, reporter, unverified: true }), exportForms);
  t.equal(warnings.length, 2);
  await t.rejects(exportFile({ ...options(), form: "tflite", file }), refused);
  t.notOk(existsSync(file));
  const record = await exportFile({ ...options(), form: "tflite", file, unverified: true });
  t.equal(record.verification, null);
  t.strictSame(Uint8Array.from(readFileSync(file)), lowered.bytes);
});
