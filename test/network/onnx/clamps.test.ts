import t from "tap";
import { anyEngine } from "../../fixtures/engines.ts";
import { FileWriter } from "../../fixtures/onnx/file-writer.ts";
import { agreeingGraph } from "../../fixtures/onnx/graph-agreement.ts";

const { ops } = await anyEngine();

/** A layer's output, behind one operator or two that clamp it. */
function clamped(opset: number, clamp: (file: FileWriter, x: string) => string) {
  const file = new FileWriter(opset);
  const layer = file.op("Gemm", [file.input("x", [5]), file.floats([5, 7]), file.floats([7])]);
  return agreeingGraph(ops, file.file(clamp(file, layer)), file.inputs);
}

const number = (file: FileWriter, value: number) =>
  file.op("Div", [
    file.op("Cast", [file.integers([Math.round(8 * value)])], { to: 1 }),
    file.op("Cast", [file.integers([8])], { to: 1 }),
  ]);

t.test("the larger and the smaller of x and a number", async (t) => {
  for (const limit of [-0.375, 0, 0.25]) {
    await t.resolves(
      clamped(13, (file, x) => file.op("Max", [x, number(file, limit)])),
      `max ${limit}`,
    );
    await t.resolves(
      clamped(13, (file, x) => file.op("Min", [number(file, limit), x])),
      `min ${limit}`,
    );
  }
});

t.test("clips with both limits, with one and with none", async (t) => {
  const clip = (limits: readonly (number | null)[]) =>
    clamped(13, (file, x) =>
      file.op("Clip", [x, ...limits.map((limit) => (limit === null ? "" : number(file, limit)))]),
    );
  for (const limits of [[-0.25, 0.5], [-0.5], [null, 0.375], [], [0.125, 0.25]])
    await t.resolves(clip(limits), limits.join());
  await t.rejects(clip([1, -1]), { message: /it clips to \[1, -1\], expected the smaller limit first/ });
});

t.test("limits far away take nothing of x", async (t) => {
  for (const [low, high] of [
    [-65504, 65504],
    [-65504, 0.25],
    [null, 65504],
    [-65504, null],
    [-65504, -0.25],
  ]) {
    const limits = [low, high].map((limit) => (limit === null ? null : limit!));
    await t.resolves(
      clamped(13, (file, x) => file.op("Clip", [x, ...limits.map((one) => (one === null ? "" : number(file, one)))])),
      limits.join(),
    );
  }
});

t.test("a ReLU's limit is one with it", async (t) => {
  const { network } = await clamped(13, (file, x) => file.op("Min", [file.op("Relu", [x]), number(file, 0.5)]));
  t.match(
    network.nodes.filter(({ kind }) => kind === "relu"),
    [{ limit: 0.5 }],
  );
});
