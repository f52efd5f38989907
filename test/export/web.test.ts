import t from "tap";
import { onnxForms } from "../../src/config/sections/export-settings.ts";
import { expandQuant } from "../../src/export/onnx/expand-quant.ts";
import { lower } from "../../src/export/onnx/lower.ts";
import { outputName } from "../../src/export/onnx/model-frame.ts";
import { encodeModelProto, readModel } from "../../src/export/onnx/read-model.ts";
import { defaultSaturation } from "../../src/export/onnx/saturation.ts";
import { RuntimeModel } from "../../src/export/runtime.ts";
import { batchOf } from "../../src/export/test-batches.ts";
import { browserMissing } from "../fixtures/browser.ts";
import { anyEngine } from "../fixtures/engines.ts";
import { randomImages } from "../fixtures/frozen-networks.ts";
import { withMixedRows } from "../fixtures/mixed-rows.ts";
import { disposeModel, freezeModel, narrowNetworks, randomModel } from "../fixtures/random-models.ts";
import { whole } from "../fixtures/splits.ts";
import { runInChromium, runInWebAssembly, type WebJob } from "../fixtures/web-runtime.ts";
import { withCodebooks } from "../fixtures/with-codebooks.ts";

const { ops } = await anyEngine();
const images = 1000;
const input = "uint8";
const saturation = await defaultSaturation();

/** An ONNX file of each form, and the logits that onnxruntime-node makes of 1,000 images. */
async function jobsOf(bits: readonly (2 | 4 | 8 | 16)[], rows: "one width" | "mixed rows" | "codebooks") {
  const model = randomModel(ops, { network: narrowNetworks.lenet5!(), seed: 6, bits, pruned: 0.2 });
  const frozen = freezeModel(model);
  const network =
    rows === "mixed rows"
      ? withMixedRows(frozen, { seed: 6, sixteen: false })
      : rows === "codebooks"
        ? withCodebooks(frozen, 6)
        : frozen;
  disposeModel(model);
  const { forFile, shape } = batchOf(await whole(randomImages(network, images)), { network, ops, input });
  const jobs: (WebJob & { readonly form: string; readonly node: Float32Array })[] = [];
  for (const form of rows === "codebooks" ? (["compact"] as const) : onnxForms) {
    const { bytes: written } = lower(network, form, { input, saturation, metadata: {} });
    // Runtimes have no Quant nodes.
    const bytes = form === "qonnx" ? encodeModelProto(expandQuant(readModel(written, form), form)) : written;
    const runtime = await RuntimeModel.load(bytes, form);
    const node = (await runtime.run(forFile, shape)).get(outputName) as Float32Array;
    await runtime.release();
    jobs.push({ form, bytes, images: forFile as Uint8Array, shape, output: outputName, node });
  }
  return jobs;
}

/** The class of each image, and how far logits are apart, in parts of the largest. */
function compared(values: readonly number[], node: Float32Array) {
  const classes = node.length / images;
  const classOf = (logits: ArrayLike<number>, image: number) => {
    const own = Array.from({ length: classes }, (_, index) => logits[image * classes + index]!);
    return own.indexOf(Math.max(...own));
  };
  const every = Array.from({ length: images }, (_, image) => image);
  const largest = Math.max(...node.map(Math.abs));
  return {
    others: every.filter((image) => classOf(values, image) !== classOf(node, image)).length,
    apart: Math.max(...node.map((value, index) => Math.abs(value - values[index]!))) / largest,
  };
}

for (const [bits, rows] of [
  [[2, 4, 8], "one width"],
  [[4, 16], "one width"],
  [[2, 4, 8], "mixed rows"],
  [[16], "codebooks"],
] as const) {
  t.test(`every form of ONNX of a network of ${bits.join("/")} bits, ${rows}, in onnxruntime-web`, async (t) => {
    const jobs = await jobsOf(bits, rows);
    const missing = browserMissing();
    const inChromium = missing ? [] : await runInChromium(jobs);
    for (const [index, job] of jobs.entries()) {
      const places = { "WebAssembly in Node": await runInWebAssembly(job), Chromium: inChromium[index] };
      for (const [place, result] of Object.entries(places)) {
        if (result === undefined) continue;
        const { others, apart } = compared(result.values, job.node);
        // The float32 sums of the two builds are added in other orders.
        // A sum on the border of two steps of 16 bits may go to either.
        t.ok(
          others === 0 && apart < (rows === "codebooks" ? 1e-4 : 1e-6),
          `${job.form}, ${place}: ${others} other classes, logits ${apart} apart`,
        );
        t.comment(`${job.form}, ${place}: load ${result.loadMs.toFixed(1)} ms, run ${result.runMs.toFixed(1)} ms`);
        // Where all is integers there is nothing that could differ.
        if (job.form === "compact" && bits.every((bits: number) => bits <= 8))
          t.equal(apart, 0, `${place}: bit for bit`);
      }
    }
    if (missing) t.comment(`Chromium: ${missing}`);
  });
}
