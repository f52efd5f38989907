import t from "tap";
import { onnxForms } from "../../src/config/sections/export-settings.ts";
import { compareLayers } from "../../src/export/compare-layers.ts";
import { compareTensors } from "../../src/export/compare-tensors.ts";
import { isFrozenLayer } from "../../src/export/frozen-network.ts";
import { layerGroups } from "../../src/export/layer-groups.ts";
import { expandQuant } from "../../src/export/onnx/expand-quant.ts";
import { lower } from "../../src/export/onnx/lower.ts";
import { outputName } from "../../src/export/onnx/model-frame.ts";
import { onnxFile } from "../../src/export/onnx/onnx-file.ts";
import { packedBytes } from "../../src/export/onnx/packing.ts";
import { encodeModelProto, readModel, tensorsOf, withOutputs } from "../../src/export/onnx/read-model.ts";
import { defaultSaturation } from "../../src/export/onnx/saturation.ts";
import { RuntimeModel } from "../../src/export/runtime.ts";
import { batchOf } from "../../src/export/test-batches.ts";
import { storedBits } from "../../src/quantization/levels.ts";
import { digestOf } from "../fixtures/digests.ts";
import { anyEngine, nativeMissing } from "../fixtures/engines.ts";
import { exportCase } from "../fixtures/export-cases.ts";
import { withOneCodeOff } from "../fixtures/frozen-networks.ts";
import { initializer } from "../fixtures/onnx-values.ts";
import { whole } from "../fixtures/splits.ts";

/** `npm run test:export` runs them all. */
const every = process.env.BAYESIAN_BITS_EXPORT_CASES !== undefined;
const cases = Number(process.env.BAYESIAN_BITS_EXPORT_CASES ?? 15);
/** Its sums add codes of 2 and of 8 bits. */
const withUnevenSums = 88;
const images = 4;
/** Of codes of 2, 4 and 8 bits, of codes of 16, and of values that have none. */
const widths = ["2, 4 and 8 bits", "16 bits", "float32 values"] as const;

t.test("every form of random networks agrees with the trainer's kernels", { skip: nativeMissing() }, async (t) => {
  /** As files are exported on this machine. */
  const saturation = await defaultSaturation();
  const { ops } = await anyEngine();
  const live = ops.liveTensors();
  const totals = new Map(widths.map((width) => [width, { layers: 0, compared: 0, different: 0, farthest: 0 }]));
  const mixed = new Set([...Array(cases).keys(), withUnevenSums]);
  const others = Array.from(Array(every ? cases : 2).keys());
  const chosen = [
    ...Array.from(mixed, (index) => exportCase(ops, index)),
    ...others.map((index) => exportCase(ops, index, "16 bits")),
    ...others.map((index) => exportCase(ops, index, "plain backgrounds")),
    ...others.map((index) => exportCase(ops, index, "tied backgrounds")),
  ];
  for (const [index, { title, network, input, images: imagesFor }] of chosen.entries()) {
    const test = imagesFor(images);
    for (const form of onnxForms) {
      const lowered = lower(network, form, { input, saturation, metadata: {} });
      const again = lower(network, form, { input, saturation, metadata: {} });
      t.equal(digestOf(again.bytes), digestOf(lowered.bytes), "equal bytes again");
      const written = readModel(lowered.bytes, form);
      const model = form === "qonnx" ? expandQuant(written, form) : written;
      // Of every case: which layer and which of its weights follow from its number.
      const wrong = lower(withOneCodeOff(network, index, (index * 0.618) % 1), form, {
        input,
        saturation,
        metadata: {},
      });
      t.throws(
        () => compareTensors(tensorsOf(readModel(wrong.bytes, form)), tensorsOf(written), form),
        /differs from the trained network, first at tensor/,
        `${title}, ${form}: one weight off by one is found`,
      );
      t.doesNotThrow(() => compareTensors(tensorsOf(written), tensorsOf(readModel(lowered.bytes, form)), form));
      const ends = layerGroups(lowered.network).map(({ nodes }) => nodes.at(-1)!);
      try {
        // Throws where codes differ in more than rounding explains.
        const layers = await compareLayers({
          file: form,
          runtime: onnxFile({ file: form, model }),
          lowered,
          input,
          test,
          ops,
        });
        for (const [at, { name, elements, equalCodes, boundaryDistance }] of layers.entries()) {
          const end = ends[at]!;
          const bits = end.kind === "quantizer" ? end.bits : 32;
          const total = totals.get(widths[bits === 32 ? 2 : bits === 16 ? 1 : 0])!;
          total.layers++;
          total.compared += elements;
          total.different += elements * (1 - equalCodes / 100);
          total.farthest = Math.max(total.farthest, boundaryDistance!);
          // Sums of these narrow networks are exact enough for the strict rule.
          if (bits <= 8) t.ok(boundaryDistance! <= 1e-4, `${title}, ${form}, ${name}: within 1e-4 steps of a boundary`);
        }
      } catch (error) {
        t.fail(`${title}, ${form}: ${error}`);
      }

      // As it ships, without values shown: the runtime optimizes more, and must not find other logits.
      const batch = batchOf(await whole(test), { network, ops, input });
      const shown = ends.map(({ id }) => lowered.values.get(id)!.name);
      const logits = [];
      for (const bytes of [encodeModelProto(model), withOutputs(model, shown, form)]) {
        const runtime = await RuntimeModel.load(bytes, form);
        logits.push((await runtime.run(batch.forFile, batch.shape)).get(outputName) as Float32Array);
        await runtime.release();
      }
      const [shipped, inspected] = logits as [Float32Array, Float32Array];
      const largest = Math.max(...inspected.map(Math.abs));
      const worst = Math.max(...shipped.map((value, at) => Math.abs(value - inspected[at]!))) / largest;
      t.ok(worst < 1e-4, `${title}, ${form}: logits of the file as it ships (${worst})`);

      if (form !== "packed") continue;
      for (const { id, weight } of network.nodes.filter(isFrozenLayer)) {
        const elements = weight.shape.reduce((product, size) => product * size, 1);
        const stored = initializer(written, weight.bits === 32 ? `${id}.weight` : `${id}.weight.codes`);
        t.equal(
          stored.bytes.length,
          packedBytes(storedBits(weight.bits), elements),
          `${id}: ceil(bits · elements / 8) bytes`,
        );
      }
    }
  }
  t.equal(ops.liveTensors(), live, "no tensor is left");
  t.comment(`${cases} networks in ${onnxForms.length} forms, ${images} images each`);
  for (const [width, { layers, compared, different, farthest }] of totals) {
    t.comment(
      `${width}: ${layers} layers, ${compared} elements, ${Math.round(different)} differ ` +
        `(${((100 * different) / compared).toExponential(1)} %), at most ${farthest.toExponential(1)} steps from a boundary`,
    );
  }
});
