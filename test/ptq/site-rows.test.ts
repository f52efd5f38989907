import t from "tap";
import { FileSession } from "../../src/onnx/file-session.ts";
import { readModel } from "../../src/onnx/onnx-model.ts";
import { FileGraph } from "../../src/ptq/file-graph.ts";
import { findSites } from "../../src/ptq/find-sites.ts";
import { isLinear, patchLayout } from "../../src/ptq/site-patches.ts";
import { SiteRows } from "../../src/ptq/site-rows.ts";
import { toRows } from "../../src/ptq/weight-site.ts";
import { near } from "../fixtures/engines.ts";
import { products } from "../fixtures/layer-problems.ts";
import { encodePlain, int, ints, type PlainNode } from "../fixtures/onnx/plain-model.ts";
import { floats, sampleArray } from "../fixtures/ptq.ts";

interface Case {
  readonly opType: string;
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly attribute?: PlainNode["attribute"];
}

const text = (name: string, value: string) => ({ name, type: 3, s: new TextEncoder().encode(value) });

const cases: Readonly<Record<string, Case>> = {
  "a convolution over sequences": {
    ...{ opType: "Conv", x: [3, 4, 9], w: [5, 4, 3] },
    attribute: [ints("pads", [2, 0]), ints("strides", [2])],
  },
  "groups, dilation, uneven strides and padding": {
    ...{ opType: "Conv", x: [3, 4, 7, 6], w: [6, 2, 3, 2] },
    attribute: [int("group", 2), ints("dilations", [2, 1]), ints("strides", [1, 2]), ints("pads", [1, 0, 2, 1])],
  },
  "depthwise, padded at the end": {
    ...{ opType: "Conv", x: [2, 6, 6, 5], w: [6, 1, 3, 2] },
    attribute: [int("group", 6), text("auto_pad", "SAME_UPPER"), ints("strides", [2, 2])],
  },
  "padded at the beginning": {
    ...{ opType: "Conv", x: [2, 3, 6, 5], w: [4, 3, 2, 4] },
    attribute: [text("auto_pad", "SAME_LOWER")],
  },
  "a convolution over volumes": {
    ...{ opType: "Conv", x: [2, 2, 4, 3, 4], w: [3, 2, 2, 2, 3] },
    attribute: [ints("pads", [0, 1, 0, 1, 0, 1])],
  },
  "a dense layer": { opType: "Gemm", x: [4, 6], w: [6, 7] },
  "a dense layer, transposed": { opType: "Gemm", x: [4, 6], w: [7, 6], attribute: [int("transB", 1)] },
  "a product of rank 3": { opType: "MatMul", x: [3, 4, 6], w: [6, 7] },
};

for (const [what, { opType, x, w, attribute = [] }] of Object.entries(cases)) {
  t.test(`${what}: weights times rows are what the runtime computes, at every place`, async (t) => {
    const bytes = encodePlain({
      ...{ opset: 13, inputs: [{ name: "x", shape: x }], outputs: [{ name: "y" }], tensors: [floats("w", w)] },
      nodes: [{ opType, name: "layer", input: ["x", "w"], output: ["y"], attribute }],
    });
    const { sites } = await findSites(new FileGraph(readModel(bytes, "it")), "it", {
      skips: () => false,
      granularity: "channel",
    });
    const [site] = sites;
    t.ok(site && isLinear(site));
    const values = sampleArray("x", x).data as Float32Array;
    await using session = await FileSession.load(bytes, "it");
    const y = (await session.run({ x: FileSession.tensor(values, x) })).get("y")!;
    const collector = new SiteRows(site!, { positions: 1000, seed: 1 });
    collector.add({ dims: x, values }, { count: x[0]!, batch: x[0]! });
    const { samples, positions, inputs } = collector.rows()!;
    const rows = samples * positions;
    const { groups } = site!.layout;
    const weight = toRows(site!.layout, site!.values);
    const got = products(weight.values, inputs, { groups, ...weight });
    const perGroup = weight.outputs / groups;
    const places = patchLayout(site!, x).output.reduce((product, side) => product * side, 1);
    // From [groups, rows, outputs of a group] to the runtime's order.
    const ordered = Float32Array.from(y.data as Float32Array, (_, index) => {
      const [image, channel, place] =
        opType === "Conv"
          ? [Math.floor(index / places / weight.outputs), Math.floor(index / places) % weight.outputs, index % places]
          : [0, index % weight.outputs, Math.floor(index / weight.outputs)];
      const row = image * places + place;
      return got[(Math.floor(channel / perGroup) * rows + row) * perGroup + (channel % perGroup)]!;
    });
    near(ordered, y.data as Float32Array);
  });
}

t.test("places are chosen by the seed, as many of each sample", async (t) => {
  const bytes = encodePlain({
    ...{ opset: 13, inputs: [{ name: "x", shape: ["n", 1, 5, 5] }], outputs: [{ name: "y" }] },
    tensors: [floats("w", [32, 1, 1, 1])],
    nodes: [{ opType: "Conv", name: "layer", input: ["x", "w"], output: ["y"] }],
  });
  const { sites } = await findSites(new FileGraph(readModel(bytes, "it")), "it", {
    skips: () => false,
    granularity: "channel",
  });
  const values = Float32Array.from({ length: 100 }, (_, index) => index);
  const chosen = (seed: number) => {
    const collector = new SiteRows(sites[0]!, { positions: 7, seed });
    // Three of the four samples of the run count.
    collector.add({ dims: [4, 1, 5, 5], values }, { count: 3, batch: 4 });
    return collector.rows()!;
  };
  const { samples, positions, inputs } = chosen(1);
  t.strictSame([samples, positions, inputs.length], [3, 7, 21]);
  t.equal(new Set(inputs).size, 21, "no place twice");
  for (const [row, value] of inputs.entries()) t.equal(Math.floor(value / 25), Math.floor(row / 7));
  t.strictSame(chosen(1), { samples, positions, inputs });
  t.notSame(chosen(2), { samples, positions, inputs });
});
