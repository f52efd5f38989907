import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { onnxForms } from "../../src/config/sections/export-settings.ts";
import { expandQuant } from "../../src/export/onnx/expand-quant.ts";
import { lower } from "../../src/export/onnx/lower.ts";
import { outputName } from "../../src/export/onnx/model-frame.ts";
import { encodeModelProto, readModel } from "../../src/export/onnx/read-model.ts";
import { defaultSaturation } from "../../src/export/onnx/saturation.ts";
import { RuntimeModel } from "../../src/export/runtime.ts";
import { batchOf } from "../../src/export/test-batches.ts";
import { anyEngine } from "../fixtures/engines.ts";
import { exportCase } from "../fixtures/export-cases.ts";
import { randomImages } from "../fixtures/frozen-networks.ts";
import { checkWithPython, onnxPythonMissing, type PythonJob } from "../fixtures/onnx-python.ts";
import { whole } from "../fixtures/splits.ts";

const images = 2;
const cases = Number(process.env.BAYESIAN_BITS_PYTHON_CASES ?? 5);

t.test(
  "the packages of PyPI accept every form and agree with onnxruntime",
  { skip: onnxPythonMissing() },
  async (t) => {
    /** As files are exported on this machine. */
    const saturation = await defaultSaturation();
    const { ops } = await anyEngine();
    const folder = t.testdir();
    const jobs: PythonJob[] = [];
    const expected = new Map<string, { readonly title: string; readonly logits: Float32Array }>();
    const drawn = Array.from({ length: cases }, (_, index) => exportCase(ops, index));
    const rows = Array.from({ length: Math.ceil(cases / 5) }, (_, index) => exportCase(ops, index, "mixed rows"));
    for (const [index, { network, input, title }] of [...drawn, ...rows].entries()) {
      const batch = batchOf(await whole(randomImages(network, images)), { network, ops, input });
      const raw = join(folder, `${index}.raw`);
      writeFileSync(raw, new Uint8Array(batch.forFile.buffer, batch.forFile.byteOffset, batch.forFile.byteLength));
      for (const form of onnxForms) {
        const file = join(folder, `${index}.${form}.onnx`);
        const { bytes } = lower(network, form, { input, saturation, metadata: {} });
        writeFileSync(file, bytes);
        const runnable = form === "qonnx" ? encodeModelProto(expandQuant(readModel(bytes, file), file)) : bytes;
        const model = await RuntimeModel.load(runnable, file);
        const logits = (await model.run(batch.forFile, batch.shape)).get(outputName) as Float32Array;
        await model.release();
        expected.set(file, { title: `${title}, ${form}`, logits });
        jobs.push({ file, form, input, shape: batch.shape, images: raw });
      }
    }
    for (const { file, checker, ...outcomes } of checkWithPython(jobs)) {
      const { title, logits } = expected.get(file)!;
      t.equal(checker, "accepted", `${title}: onnx.checker with full_check`);
      const largest = Math.max(...logits.map(Math.abs));
      for (const runtime of ["reference", "onnxruntime", "qonnx"] as const) {
        const outcome = outcomes[runtime];
        if (outcome === undefined) continue;
        if ("error" in outcome) {
          t.fail(`${title}: ${runtime}: ${outcome.error}`);
          continue;
        }
        // A code that falls on the other side of a boundary moves logits a little.
        const worst = Math.max(...outcome.logits.map((value, index) => Math.abs(value - logits[index]!))) / largest;
        t.ok(
          outcome.logits.length === logits.length && worst < 0.1,
          `${title}: ${runtime} (${worst.toExponential(1)})`,
        );
      }
    }
  },
);
