import t from "tap";
import { onnxForms } from "../../src/config/sections/export-settings.ts";
import { compareLayers } from "../../src/export/compare-layers.ts";
import { compareTensors } from "../../src/export/compare-tensors.ts";
import { isFrozenLayer } from "../../src/export/frozen-network.ts";
import { type Kernels, kernelsOf } from "../../src/export/kernels.ts";
import { layerGroups } from "../../src/export/layer-groups.ts";
import { expandQuant } from "../../src/export/onnx/expand-quant.ts";
import { lower } from "../../src/export/onnx/lower.ts";
import { outputName } from "../../src/export/onnx/model-frame.ts";
import { onnxFile } from "../../src/export/onnx/onnx-file.ts";
import { encodeModelProto, readModel, tensorsOf, withOutputs } from "../../src/export/onnx/read-model.ts";
import { defaultSaturation } from "../../src/export/onnx/saturation.ts";
import { RuntimeModel } from "../../src/export/runtime.ts";
import { batchOf } from "../../src/export/test-batches.ts";
import { channelBytes } from "../../src/quantization/channel-bytes.ts";
import { digestOf } from "../fixtures/digests.ts";
import { anyEngine, nativeMissing } from "../fixtures/engines.ts";
import { exportCase } from "../fixtures/export-cases.ts";
import { withOneCodeOff } from "../fixtures/frozen-networks.ts";
import { initializer, rowBytes } from "../fixtures/onnx-values.ts";
import { whole } from "../fixtures/splits.ts";

/** `npm run test:export` runs them all. */
const every = process.env.BAYESIAN_BITS_EXPORT_CASES !== undefined;
const cases = Number(process.env.BAYESIAN_BITS_EXPORT_CASES ?? 12);
/** Its sums add codes of 2 and of 8 bits. */
const withUnevenSums = 88;
const images = 4;
/** What makes one tensor of a weight's rows. */
const joining = new Set(["Cast", "Concat", "Expand", "Gather"]);
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
  // Among these three are depthwise and dense layers, and rows of 16 bits.
  const rows = every ? others.slice(0, 100) : [0, 3, 4];
  const chosen = [
    ...Array.from(mixed, (index) => exportCase(ops, index)),
    ...others.map((index) => exportCase(ops, index, "16 bits")),
    ...others.map((index) => exportCase(ops, index, index % 2 === 0 ? "plain backgrounds" : "attention")),
    ...others.map((index) => exportCase(ops, index, "tied backgrounds")),
    ...(every ? others : [2, 3]).map((index) => exportCase(ops, index, "all kinds")),
    ...rows.map((index) => exportCase(ops, index, "mixed rows")),
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

      const layers = network.nodes.filter(isFrozenLayer);
      if (form === "compact" && layers.some(({ weight }) => weight.bits !== 32 && weight.channelBits !== null)) {
        // Each layer is the one kernel that it is in the int8 file.
        const kernels = await kernelsOf(lowered.bytes);
        const oneWidth = await kernelsOf(lower(network, "int8", { input, saturation, metadata: {} }).bytes);
        t.equal(kernels.integer + kernels.float.length, layers.length, `${title}: one kernel for each layer`);
        t.equal(kernels.integer, oneWidth.integer, `${title}: integer kernels of the int8 file`);
        const joins = ({ operators }: Kernels) => operators.filter((type) => joining.has(type)).toSorted();
        t.strictSame(joins(kernels), joins(oneWidth), `${title}: what joins the rows is gone at load`);
      }
      if (form !== "packed" && form !== "compact") continue;
      for (const { id, weight } of layers) {
        const elements = weight.shape.reduce((product, size) => product * size, 1);
        if (weight.bits === 32) {
          t.equal(initializer(written, `${id}.weight`).bytes.length, 4 * elements, `${id}: 4 bytes each`);
          continue;
        }
        const channels = weight.shape.at(-1)!;
        const widths = weight.channelBits ?? new Uint8Array(channels).fill(weight.bits);
        const { codes, steps, order } = channelBytes(widths, elements / channels);
        t.strictSame(
          rowBytes(written, `${id}.weight.codes`),
          { codes, order },
          `${id}: ceil(bits · elements / 8) bytes`,
        );
        if (form !== "packed" || typeof weight.scale === "number") continue;
        t.equal(initializer(written, `${id}.weight.scale`).bytes.length, steps, `${id}: a step for each channel`);
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
