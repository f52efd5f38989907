import fc from "fast-check";
import t from "tap";
import { FileSession } from "../../src/onnx/file-session.ts";
import { readModel } from "../../src/onnx/onnx-model.ts";
import { FileGraph } from "../../src/ptq/file-graph.ts";
import { addFloatWeight, addIntegerWeight } from "../../src/ptq/store-weight.ts";
import { outermostCode } from "../../src/quantization/weight-grid.ts";
import { widthOf } from "../../src/quantization/weight-widths.ts";
import { encodePlain } from "../fixtures/onnx/plain-model.ts";

const base = {
  opset: 7,
  nodes: [{ opType: "Relu", input: ["x"], output: ["y"] }],
  inputs: [{ name: "x", shape: [1] }],
};

const width = fc.constantFrom(2, 3, 4, 8);

const weight = fc
  .record({
    bits: fc.oneof(width, fc.array(width, { minLength: 5, maxLength: 5 })),
    dims: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
    axis: fc.nat(),
    seed: fc.nat(),
  })
  .map(({ bits: drawn, dims, axis, seed }) => {
    const elements = dims.reduce((product, size) => product * size, 1);
    const at = axis % dims.length;
    const bits = typeof drawn === "number" ? drawn : drawn.slice(0, dims[at]!);
    const inner = dims.slice(at + 1).reduce((product, size) => product * size, 1);
    const codes = Int32Array.from({ length: elements }, (_, index) => {
      const highest = outermostCode(widthOf(bits, Math.floor(index / inner) % dims[at]!));
      return ((index * 7 + seed) % (2 * highest + 1)) - highest;
    });
    const steps = Float32Array.from({ length: dims[at]! }, (_, index) => 0.25 * (index + 1));
    return { name: "w", layout: { dims, axis: at, groups: 1 }, codes, steps, bits };
  });

/** step · code of each element, in the tensor's order. */
function expected({
  layout: { dims, axis },
  codes,
  steps,
}: {
  layout: { dims: number[]; axis: number };
  codes: Int32Array;
  steps: Float32Array;
}) {
  const inner = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  return Array.from(codes, (code, index) => code * steps[Math.floor(index / inner) % dims[axis]!]!);
}

/** The value that `add` puts into a file of operator set `opset`, as onnxruntime computes it. */
async function stored(opset: number, add: (graph: FileGraph) => string): Promise<readonly number[]> {
  const model = readModel(encodePlain({ ...base, opset, outputs: [{ name: "y" }] }), "it.onnx");
  const graph = new FileGraph(model);
  const value = add(graph);
  graph.addFirst("Identity", [value], { output: "w.shown" });
  model.graph.output[0]!.name = "w.shown";
  await using session = await FileSession.load(graph.encode(), "it.onnx");
  const input = { x: FileSession.tensor(Float32Array.of(1), [1]) };
  return Array.from((await session.run(input)).get("w.shown")?.data as Float32Array, Number);
}

t.test("codes of any width and shape come back as steps times codes", async (t) => {
  await fc.assert(
    fc.asyncProperty(weight, fc.constantFrom(7, 11, 13, 21), async (weight, opset) => {
      const found = await stored(opset, (graph) => addFloatWeight(graph, weight, 1));
      t.strictSame(found, expected(weight));
    }),
    { seed: 1, numRuns: 60 },
  );
});

t.test("for integer kernels too, in both containers and both domains", async (t) => {
  await fc.assert(
    fc.asyncProperty(
      weight,
      fc.constantFrom("int8" as const, "uint8" as const),
      fc.constantFrom(11, 13),
      async (weight, container, opset) => {
        const domain = opset < 13 ? "com.microsoft" : "";
        const found = await stored(opset, (graph) => addIntegerWeight(graph, { ...weight, container }, domain));
        t.strictSame(found, expected(weight));
      },
    ),
    { seed: 1, numRuns: 60 },
  );
});
