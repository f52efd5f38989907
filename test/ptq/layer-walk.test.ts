import t from "tap";
import { elementTypes } from "../../src/onnx/element-types.ts";
import { FileSession, type RuntimeTensor } from "../../src/onnx/file-session.ts";
import { type Model, readModel } from "../../src/onnx/onnx-model.ts";
import { cutModel, frontier } from "../../src/ptq/cut-model.ts";
import { FileGraph } from "../../src/ptq/file-graph.ts";
import { findSites } from "../../src/ptq/find-sites.ts";
import { LayerWalk } from "../../src/ptq/layer-walk.ts";
import { openInside } from "../../src/ptq/open-inside.ts";
import { Samples } from "../../src/ptq/samples.ts";
import { type WeightSite, weightKey } from "../../src/ptq/weight-site.ts";
import { random } from "../fixtures/engines.ts";
import { encodePlain, int, type PlainModel } from "../fixtures/onnx/plain-model.ts";
import { floats, integers, sampleArray } from "../fixtures/ptq.ts";

/** Layers behind each other and beside each other, a sum, a shape that is computed, and a constant that is. */
const plain: PlainModel = {
  opset: 13,
  inputs: [{ name: "x", shape: ["n", 4, 6] }],
  outputs: [{ name: "y" }],
  nodes: [
    { opType: "MatMul", name: "first", input: ["x", "w1"], output: ["a"] },
    { opType: "Tanh", input: ["a"], output: ["b"] },
    { opType: "MatMul", name: "left", input: ["b", "w2"], output: ["c"] },
    { opType: "MatMul", name: "right", input: ["b", "w3"], output: ["d"] },
    { opType: "Add", input: ["c", "d"], output: ["e"] },
    { opType: "Add", input: ["e", "x"], output: ["f"] },
    { opType: "Shape", input: ["b"], output: ["size"] },
    { opType: "Reshape", input: ["f", "size"], output: ["g"] },
    { opType: "Neg", input: ["k"], output: ["minus"] },
    { opType: "Mul", input: ["g", "minus"], output: ["h"] },
    { opType: "MatMul", name: "last", input: ["h", "w4"], output: ["i"] },
    { opType: "Add", input: ["i", "b"], output: ["y"] },
  ],
  tensors: [...["w1", "w2", "w3", "w4"].map((name) => floats(name, [6, 6])), floats("k", [6])],
};
const arrays = new Map([["x", sampleArray("x", [37, 4, 6])]]);

async function opened(file = plain, data = arrays) {
  const bytes = encodePlain(file);
  const model = readModel(bytes, "it.onnx");
  const graph = new FileGraph(model);
  const { sites } = await findSites(graph, "it.onnx", { skips: () => false, granularity: "channel", inner: new Map() });
  await using session = await FileSession.load(bytes, "it.onnx");
  const samples = Samples.of(session.inputs, data, "samples");
  return { graph, sites, calibration: { samples, order: samples.order(1) } };
}

const numbers = ({ data }: RuntimeTensor): number[] => Array.from(data as Float32Array);

t.test("what layers read is what they read in the whole model, with the weights that are known", async (t) => {
  const { graph, sites, calibration } = await opened();
  t.strictSame(
    sites.map(({ name }) => name),
    ["first", "left", "right", "last"],
  );
  await using walk = new LayerWalk(graph, { sites, grids: new Map(), calibration, file: "it.onnx" });
  const weights = new Map<string, RuntimeTensor>();
  for (const [index, site] of sites.entries()) {
    const later = sites.slice(index);
    await walk.advance(later, { weights, unknown: new Set(later.map(weightKey)) });
    const got: number[] = [];
    await walk.read([site], weights, (_, tensor) => got.push(...numbers(tensor)));
    t.strictSame(got, await wholly(site, weights), site.name);
    weights.set(weightKey(site), FileSession.tensor(random(7, site.name, [6, 6], 1), [6, 6]));
  }
});

/** What a layer reads where the whole model runs with other weights. */
async function wholly(site: WeightSite, weights: ReadonlyMap<string, RuntimeTensor>): Promise<number[]> {
  const { sites, calibration } = await opened();
  const tensors = plain.tensors!.map((tensor) => {
    const own = sites.find(({ weight }) => weight === tensor.name);
    const other = own && weights.get(weightKey(own));
    return other ? { ...tensor, rawData: new Uint8Array((other.data as Float32Array).slice().buffer) } : tensor;
  });
  const [value = ""] = site.node.input;
  await using session = await openInside(readModel(encodePlain({ ...plain, tensors }), "it.onnx"), [value], "it.onnx");
  const all: number[] = [];
  for await (const { inputs } of calibration.samples.batches(calibration.order)) {
    const results = await session.run(inputs, value in inputs ? ["y"] : [value]);
    all.push(...numbers(inputs[value] ?? results.get(value)!));
  }
  return all;
}

const whole = (): Model => readModel(encodePlain(plain), "it.onnx");

t.test("what stands for all before a layer is made of no weight to come, and of no constants alone", async (t) => {
  const known = new Set(["x"]);
  const before = (unknown: string[], wanted: string[]) =>
    [...frontier(whole(), { wanted, known, unknown: new Set(unknown) })].toSorted();
  t.strictSame(before(["w1", "w2", "w3", "w4"], ["x", "b", "h"]), ["x"]);
  t.strictSame(before(["w2", "w3", "w4"], ["b", "h"]), ["b", "size", "x"]);
  t.strictSame(before(["w4"], ["h"]), ["h"], "of what is not read again nothing is kept");
  known.add("k");
  t.notOk(before(["w4", "w2"], ["h"]).includes("minus"), "an old file's constant is one among the inputs too");
});

t.test("a part has what it needs alone, and what it is given takes the place of what makes it", async (t) => {
  const given = new Map([["b", { type: elementTypes.float, dims: [null, 4, 6] }]]);
  const { graph } = cutModel(whole(), { given, wanted: ["e"] });
  t.strictSame(
    graph.node.map(({ name, opType }) => name || opType),
    ["left", "right", "Add"],
  );
  t.strictSame(
    graph.input.map(({ name }) => name),
    ["b"],
  );
  t.strictSame(
    graph.initializer.map(({ name }) => name),
    ["w2", "w3"],
  );
});

t.test("what is resized to sizes that were kept runs", async (t) => {
  const resizing: PlainModel = {
    opset: 13,
    inputs: [{ name: "x", shape: ["n", 2, 8, 8] }],
    outputs: [{ name: "y" }],
    nodes: [
      { opType: "Conv", name: "first", input: ["x", "w1"], output: ["a"] },
      { opType: "Shape", input: ["x"], output: ["shape"] },
      { opType: "Gather", input: ["shape", "two"], output: ["start"] },
      { opType: "Concat", input: ["start", "side"], output: ["sizes"], attribute: [int("axis", 0)] },
      { opType: "Resize", input: ["a", "", "", "sizes"], output: ["b"] },
      { opType: "Conv", name: "second", input: ["b", "w2"], output: ["y"] },
    ],
    tensors: [
      ...[floats("w1", [2, 2, 3, 3]), floats("w2", [2, 2, 3, 3])],
      ...[integers("two", [0, 1]), integers("side", [4, 4])],
    ],
  };
  const { graph, sites, calibration } = await opened(resizing, new Map([["x", sampleArray("x", [21, 2, 8, 8])]]));
  await using walk = new LayerWalk(graph, { sites, grids: new Map(), calibration, file: "it.onnx" });
  const weights = new Map<string, RuntimeTensor>();
  const seen: (readonly number[])[] = [];
  for (const [index, site] of sites.entries()) {
    const later = sites.slice(index);
    await walk.advance(later, { weights, unknown: new Set(later.map(weightKey)) });
    await walk.read([site], weights, (_, { dims }) => seen.push(dims));
    weights.set(weightKey(site), FileSession.tensor(random(7, site.name, [2, 2, 3, 3], 1), [2, 2, 3, 3]));
  }
  t.strictSame(seen, [
    [16, 2, 8, 8],
    [5, 2, 8, 8],
    [16, 2, 4, 4],
    [5, 2, 4, 4],
  ]);
});
