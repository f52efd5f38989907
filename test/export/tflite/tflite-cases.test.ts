import t from "tap";
import type { ExportInput } from "../../../src/config/sections/export-settings.ts";
import { compareLayers } from "../../../src/export/compare-layers.ts";
import { compareTensors } from "../../../src/export/compare-tensors.ts";
import { lower } from "../../../src/export/onnx/lower.ts";
import { LiteRt } from "../../../src/export/tflite/litert.ts";
import { lowerTflite } from "../../../src/export/tflite/lower-tflite.ts";
import { tensorsOf } from "../../../src/export/tflite/read-tflite.ts";
import { tfliteInLiteRt } from "../../../src/export/tflite/tflite-in-litert.ts";
import { digestOf } from "../../fixtures/digests.ts";
import { anyEngine, nativeMissing } from "../../fixtures/engines.ts";
import { exportCase } from "../../fixtures/export-cases.ts";
import { withOneCodeOff } from "../../fixtures/frozen-networks.ts";
import { withoutLiteRt } from "../../fixtures/litert.ts";

/** Networks of 8 bits or less, and those of other widths between them; `npm run test:export` takes 50. */
const cases = Number(process.env.BAYESIAN_BITS_PYTHON_CASES ?? 5);
const images = 4;

const ways = [
  { kernels: "default", wide: false },
  { kernels: "default", wide: true },
  { kernels: "own", wide: false },
  { kernels: "reference", wide: false },
] as const;

const skip = nativeMissing() || withoutLiteRt();

t.test("random networks in LiteRT agree with the trainer's kernels", { skip }, async (t) => {
  const { ops } = await anyEngine();
  const live = ops.liveTensors();
  const runtime = await LiteRt.start();
  let int8 = 0;
  const totals = ways.map(() => ({
    networks: 0,
    layers: 0,
    compared: 0,
    different: 0,
    farthest: 0,
    bytes: 0,
    onnx: 0,
  }));
  try {
    for (let index = 0; totals[0]!.networks < cases; index++) {
      const { network, images: imagesFor, ...drawn } = exportCase(ops, index, index % 4 === 1 ? "mixed rows" : "mixed");
      // Every other network that takes bytes takes them as int8, which no ONNX file does.
      const input: ExportInput = drawn.input === "uint8" && index % 2 === 0 ? "int8" : drawn.input;
      if (input === "int8") int8++;
      const title = `${drawn.title}, as ${input}`;
      const options = { input, metadata: {} };
      const lowered = lowerTflite(network, options);
      t.equal(digestOf(lowerTflite(network, options).bytes), digestOf(lowered.bytes), "equal bytes again");
      const wrong = lowerTflite(withOneCodeOff(network, index, (index * 0.618) % 1), options);
      t.throws(
        () => compareTensors(tensorsOf(wrong.bytes, title), tensorsOf(lowered.bytes, title), title),
        /differs from the trained network, first at tensor/,
        `${title}: one weight off by one is found`,
      );
      const wide = network.nodes.some(({ kind, ...node }) => kind === "quantizer" && "bits" in node && node.bits > 8);
      for (const [way, { kernels, ...tried }] of ways.entries()) {
        if (tried.wide !== wide) continue;
        const total = totals[way]!;
        const file = `${title}, ${kernels} kernels`;
        try {
          const layers = await compareLayers({
            ...{ file, lowered, input, ops, test: imagesFor(images) },
            runtime: tfliteInLiteRt(runtime, { file, lowered, kernels }),
          });
          for (const { elements, equalCodes, boundaryDistance } of layers) {
            total.layers++;
            total.compared += elements;
            total.different += elements * (1 - equalCodes / 100);
            total.farthest = Math.max(total.farthest, boundaryDistance!);
          }
        } catch (error) {
          t.fail(`${error}`);
        }
        total.networks++;
        total.bytes += lowered.bytes.length;
        total.onnx += lower(network, "packed", { ...options, input: drawn.input }).bytes.length;
      }
    }
  } finally {
    await runtime.stop();
  }
  t.equal(ops.liveTensors(), live, "no tensor is left");
  t.ok(int8 > 0, `${int8} networks take int8 images`);
  for (const [way, { kernels, wide }] of ways.entries()) {
    const { networks, layers, compared, different, farthest, bytes, onnx } = totals[way]!;
    const what = `${kernels} kernels, ${wide ? "some with more than 8 bits" : "8 bits or less"}`;
    // Kernels that round twice have that in the mean: 8-bit codes and weights, which leave no room to multiply, have less.
    const share = kernels === "default" || cases >= 50 ? 0.999 : 0.99;
    t.ok(
      compared > 0 && different <= (1 - share) * compared,
      `${what}: ${100 * share} % of the codes are the trainer's`,
    );
    t.comment(
      `${networks} networks in ${runtime.name}, ${what}: ${layers} layers, ${compared} elements, ` +
        `${Math.round(different)} differ (${(100 * (1 - different / compared)).toFixed(3)} % equal), at most ` +
        `${farthest.toExponential(1)} steps from a boundary; ${bytes} bytes, ${onnx} as packed ONNX`,
    );
  }
});
