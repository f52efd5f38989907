import t from "tap";
import { FileSession } from "../../src/onnx/file-session.ts";
import { compareOutputs, type OutputComparison } from "../../src/ptq/compare-outputs.ts";
import { Samples } from "../../src/ptq/samples.ts";
import { encodePlain, type PlainNode } from "../fixtures/onnx/plain-model.ts";

const samples = new Map([["x", { shape: [2, 3], data: Float32Array.of(1, 2, 3, -1, 5, 0) }]]);
const node = (opType: string, input: readonly string[], type?: number): PlainNode => ({
  ...{ opType, input, output: ["y"] },
  attribute: type === undefined ? [] : [{ name: "to", type: 2, i: type }],
});
const scalar = (name: string, value: number) => ({
  ...{ name, dims: [], dataType: 1 },
  rawData: new Uint8Array(Float32Array.of(value).buffer),
});

const columns = Object.entries({ ones: [1, 1, 1], last: [1, 1, 0] }).map(([name, values]) => ({
  ...{ name, dims: [3, 1], dataType: 1 },
  rawData: new Uint8Array(Float32Array.from(values).buffer),
}));

type Nodes = PlainNode | readonly PlainNode[];

/** Files of a node or more, held against each other on two samples. */
async function compared(first: Nodes, second: Nodes): Promise<OutputComparison> {
  const [a, b] = await Promise.all(
    [first, second].map((one) => {
      const tensors = [scalar("two", 2), scalar("zero", 0), scalar("more", 2.02), ...columns];
      const values = { inputs: [{ name: "x", shape: ["n", 3] }], outputs: [{ name: "y" }] };
      return FileSession.load(encodePlain({ opset: 13, nodes: [one].flat(), tensors, ...values }), "it.onnx");
    }),
  );
  const read = Samples.of(a!.inputs, samples, "the samples");
  const { outputs } = await compareOutputs(a!, b!, read.batches(read.order(1)));
  return outputs[0]!;
}

t.test("a hundredth more is 40 dB", async (t) => {
  const { sqnrDb, cosine, agreement, same, finite } = await compared(
    node("Mul", ["x", "two"]),
    node("Mul", ["x", "more"]),
  );
  t.ok(Math.abs(sqnrDb! - 40) < 1e-3, `${sqnrDb} dB`);
  t.ok(Math.abs(cosine! - 1) < 1e-9);
  t.strictSame({ agreement, same, finite }, { agreement: 100, same: false, finite: true });
});

t.test("the same numbers", async (t) => {
  const twice = node("Mul", ["x", "two"]);
  t.match(await compared(twice, twice), { sqnrDb: null, same: true, finite: true, agreement: 100 });
});

t.test("half-precision numbers are compared as what they stand for", async (t) => {
  const halves = node("Cast", ["x"], 10);
  t.match(await compared(halves, halves), { same: true, finite: true });
  // -1 becomes 255: of the bits of the numbers little would differ.
  const { sqnrDb } = await compared(halves, node("Abs", ["x"]));
  t.ok(Math.abs(sqnrDb! - 10) < 1e-9, `${sqnrDb} dB`);
});

t.test("whole numbers are compared too", async (t) => {
  t.match(await compared(node("Cast", ["x"], 7), node("Cast", ["x"], 7)), { same: true });
  const signs = await compared(node("Cast", ["x"], 7), node("Cast", ["x"], 9));
  t.equal(signs.same, false);
  t.ok(signs.sqnrDb! < 10);
});

t.test("outputs whose sizes depend on the numbers are not held against each other", async (t) => {
  const found = await compared(node("NonZero", ["x"]), node("Identity", ["x"]));
  t.match(found, { sqnrDb: null, same: false, otherSizes: true, finite: true });
});

t.test("numbers that became infinite are told, those that were so before are not", async (t) => {
  const divided = node("Div", ["x", "zero"]);
  t.equal((await compared(node("Mul", ["x", "two"]), divided)).finite, false);
  t.equal((await compared(divided, divided)).finite, true);
});

t.test("an output whose first axis does not tell samples apart is compared whole", async (t) => {
  const across: PlainNode = { opType: "Transpose", input: ["x"], output: ["z"] };
  const [ones, last] = ["ones", "last"].map((name) => [across, node("Mul", ["z", name])]);
  t.match(await compared(ones!, ones!), { same: true });
  t.match(await compared(ones!, last!), { same: false });
});

t.test("an input of several samples a run beside one that has a sample's whole is refused", (t) => {
  const inputs = [
    { name: "state", type: "float32", shape: [2, 8] },
    { name: "x", type: "float32", shape: [4, 8] },
  ] as const;
  const array = (shape: readonly number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b)) });
  const given = (x: readonly number[]) =>
    new Map([
      ["state", array([12, 2, 8])],
      ["x", array(x)],
    ]);
  t.throws(() => Samples.of(inputs, given([12, 8]), "it"), {
    message: /"x" .*wants several: give it \[samples, 4,8\]/,
  });
  t.equal(Samples.of(inputs, given([12, 4, 8]), "it").count, 12);
  t.end();
});

t.test("a model that takes any number of samples gets no sample twice", async (t) => {
  const inputs = [{ name: "x", type: "float32", shape: ["n", 2] }] as const;
  const given = Samples.of(inputs, new Map([["x", { shape: [19, 2], data: new Float32Array(38) }]]), "it");
  const sizes: (readonly number[])[] = [];
  for await (const { inputs, batch, count } of given.batches(given.order(1)))
    sizes.push([inputs.x!.dims[0]!, batch, count]);
  t.strictSame(sizes, [
    [16, 16, 16],
    [3, 3, 3],
  ]);
  const fixed = Samples.of(
    [{ ...inputs[0], shape: [4, 2] }],
    new Map([["x", { shape: [5, 2], data: new Float32Array(10) }]]),
    "it",
  );
  const last: (readonly number[])[] = [];
  for await (const { inputs, batch, count } of fixed.batches(fixed.order(1)))
    last.push([inputs.x!.dims[0]!, batch, count]);
  t.strictSame(last, [
    [4, 4, 4],
    [4, 4, 1],
  ]);
});

t.test("an input of no samples is refused", (t) => {
  const inputs = [{ name: "x", type: "float32", shape: [0, 2] }] as const;
  const arrays = new Map([["x", { shape: [5, 2], data: new Float32Array(10) }]]);
  t.throws(() => Samples.of(inputs, arrays, "it"), {
    message: /it: runs have no samples, by the inputs "x" \(float32 \[0,2\]\)/,
  });
  t.end();
});
