import t from "tap";
import { readModel } from "../../src/onnx/onnx-model.ts";
import { orderNodes } from "../../src/ptq/order-nodes.ts";
import { encodePlain, node, type PlainModel, type PlainNode } from "../fixtures/onnx/plain-model.ts";
import { floats, quantized, sampleArray } from "../fixtures/ptq.ts";

const model = (nodes: readonly PlainNode[]): PlainModel => ({
  ...{ opset: 13, inputs: [{ name: "x", shape: ["n", 8] }], outputs: [{ name: "y" }] },
  ...{ nodes, tensors: [floats("w", [8, 8]), floats("v", [8, 8])] },
});

const ordered = (nodes: readonly PlainNode[]): string[] => {
  const { graph } = readModel(encodePlain(model(nodes)), "it");
  orderNodes(graph);
  return graph.node.map(({ name }) => name);
};

const chain = [node("MatMul", ["x", "w"], "a"), node("Relu", ["a"], "b"), node("MatMul", ["b", "v"], "y")];

t.test("a file whose nodes stand in any order is quantized as if they stood in theirs", async (t) => {
  const arrays = new Map([["x", sampleArray("x", [6, 8])]]);
  const [inOrder, reversed] = await Promise.all(
    [chain, chain.toReversed()].map((nodes) => quantized(encodePlain(model(nodes)), arrays)),
  );
  t.strictSame(reversed!.outputs, inOrder!.outputs);
  t.same(reversed!.bytes, inOrder!.bytes);
});

t.test("nodes that stand right keep their order, and a cycle is no endless walk", async (t) => {
  const two = [node("Relu", ["x"], "p"), node("Abs", ["x"], "q"), node("Add", ["p", "q"], "y")];
  t.strictSame(ordered(two), ["p", "q", "y"]);
  t.strictSame(ordered([two[2]!, two[1]!, two[0]!]).at(-1), "y");
  t.strictSame(ordered([node("Add", ["x", "y"], "b"), node("Relu", ["b"], "y")]).sort(), ["b", "y"]);
});

t.test("what a subgraph makes itself is not what a later node of that name makes", async (t) => {
  const graph = (name: string) => ({
    ...{ name: `${name}_branch`, type: 5 },
    g: { name, node: [node("Relu", ["x"], "y")], output: [{ name: "y" }] },
  });
  const choice = { ...node("If", ["c"], "z"), attribute: [graph("then"), graph("else")] };
  t.strictSame(ordered([node("Not", ["x"], "c"), choice, node("Abs", ["z"], "y")]), ["c", "z", "y"]);
});
