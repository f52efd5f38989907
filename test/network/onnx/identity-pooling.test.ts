import t from "tap";
import { GraphBuilder } from "../../../src/export/onnx/graph-builder.ts";
import { insertQuantizers } from "../../../src/quantizers/insert-quantizers.ts";
import { importBytes } from "../../fixtures/onnx/files.ts";

type Pooling = (graph: GraphBuilder, x: string) => string;

const average =
  (stride: number): Pooling =>
  (graph, x) =>
    graph.node("AveragePool", [x], { name: "pool", attributes: { kernel_shape: [1, 1], strides: [stride, stride] } });

/** A convolution, ReLU, a pooling of its `side` x `side` pixels, and a dense layer. */
function fileOf(pooling: Pooling, side: number, pooled: number): Uint8Array {
  const graph = new GraphBuilder();
  const weight = graph.floats("conv.weight", new Float32Array(8).fill(0.5), [4, 2, 1, 1]);
  const conv = graph.node("Conv", ["images", weight], { name: "conv", attributes: { kernel_shape: [1, 1] } });
  const pool = pooling(graph, graph.node("Relu", [conv], { name: "relu" }));
  const flat = graph.node("Flatten", [pool], { name: "flat", attributes: { axis: 1 } });
  const inputs = 4 * pooled * pooled;
  const matrix = graph.floats("dense.weight", new Float32Array(inputs * 10).fill(0.1), [inputs, 10]);
  graph.node("MatMul", [flat, matrix], { name: "dense", output: "logits" });
  return graph.encode({
    name: "pooled",
    doc: "",
    inputs: [{ name: "images", shape: ["batch", 2, side, side] }],
    outputs: [{ name: "logits", shape: ["batch", 10] }],
    metadata: {},
  });
}

t.test("a pooling of single elements leaves them on their grid: no second quantizer", async (t) => {
  const cases: readonly (readonly [string, Pooling, number, number])[] = [
    ["AveragePool of 1 x 1", average(1), 4, 4],
    ["AveragePool of 1 x 1, every second pixel", average(2), 4, 2],
    ["AveragePool of one pixel", average(1), 1, 1],
    ["GlobalAveragePool of one pixel", (graph, x) => graph.node("GlobalAveragePool", [x], { name: "pool" }), 1, 1],
  ];
  for (const [title, pooling, side, pooled] of cases) {
    const { network } = importBytes(fileOf(pooling, side, pooled), [side, side, 2]);
    const { nodes } = insertQuantizers(network);
    const activations = nodes.filter((node) => node.kind === "quantizer" && node.role === "activation");
    t.equal(activations.length, 1, title);
  }
});
