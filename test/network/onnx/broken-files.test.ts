import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clone, create } from "@bufbuild/protobuf";
import t from "tap";
import { UserError } from "../../../src/core/errors.ts";
import { loadNetwork } from "../../../src/network/load-network.ts";
import {
  type GraphProto,
  NodeProtoSchema,
  SparseTensorProtoSchema,
  TensorProtoSchema,
  type TypeProto_Tensor,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../../../src/onnx/generated/onnx_pb.ts";
import { encodeModelProto, type Model, readModel } from "../../../src/onnx/onnx-model.ts";
import { bytesOf, importBytes, pathOf } from "../../fixtures/onnx/files.ts";

type Graph = GraphProto;

const gray = [28, 28, 1] as const;

/** What importing says of the file after `change`; the file is a small CNN of PyTorch's. */
function complaint(change: (graph: Graph, model: Model) => void): string {
  const model = readModel(bytesOf("pytorch-cnn-legacy"), "cnn.onnx");
  change(model.graph, model);
  return messageOf(() => importBytes(encodeModelProto(model), gray, "cnn.onnx"));
}

function messageOf(body: () => void): string {
  try {
    body();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return "";
}

const node = (graph: Graph, operator: string) => graph.node.find(({ opType }) => opType === operator)!;
const tensor = (graph: Graph, name: string) => graph.initializer.find((found) => found.name === name)!;
const attribute = (graph: Graph, operator: string, name: string) =>
  node(graph, operator).attribute.find((found) => found.name === name)!;
const typeOf = ({ type }: ValueInfoProto): TypeProto_Tensor => {
  if (type?.value.case !== "tensorType") throw new Error("no tensor");
  return type.value.value;
};
/** Another size of an axis; a name is a free one. */
const resize = (value: ValueInfoProto, axis: number, size: number | string) => {
  typeOf(value).shape!.dim[axis]!.value =
    typeof size === "string" ? { case: "dimParam", value: size } : { case: "dimValue", value: BigInt(size) };
};

const broken: Record<string, readonly [(graph: Graph, model: Model) => void, RegExp]> = {
  "data in another file": [
    (graph) => Object.assign(tensor(graph, "features.0.weight"), { dataLocation: 1, rawData: new Uint8Array() }),
    /Conv ".*": tensor "features\.0\.weight" keeps its data in another file; write one file/,
  ],
  "a cycle": [
    (graph) => {
      node(graph, "Relu").input = [node(graph, "MaxPool").output[0]!];
    },
    /MaxPool ".*" waits for its own output, which goes to Relu ".*": a cycle/,
  ],
  "a tensor that is missing": [
    (graph) => {
      graph.initializer = graph.initializer.filter(({ name }) => name !== "classifier.4.weight");
    },
    /an input of Gemm ".*" is "classifier\.4\.weight", which nothing makes/,
  ],
  "a tensor that is shorter than its shape": [
    (graph) => Object.assign(tensor(graph, "features.0.bias"), { dims: [60n] }),
    /Conv ".*": tensor "features\.0\.bias" has the shape \[60\], but 6 numbers/,
  ],
  "a weight for other channels": [
    (graph) => Object.assign(tensor(graph, "features.4.weight"), { dims: [6n, 8n, 3n, 3n] }),
    /Conv ".*": its bias is \[8\], expected \[6\]/,
  ],
  "a declared shape that is not so": [
    (graph) => resize(graph.output[0]!, 1, 12),
    /Softmax ".*": gives \[batch, 10\], but the file declares \[\?, 12\]/,
  ],
  "a name that is given twice": [
    (graph) => {
      node(graph, "MaxPool").output = [...node(graph, "Relu").output];
    },
    /two of its values are named ".*"/,
  ],
  "a tensor that is given twice": [
    (graph) => void graph.initializer.push(tensor(graph, "features.0.weight")),
    /two of its tensors are named "features\.0\.weight"/,
  ],
  "weights in half precision": [
    (graph) => Object.assign(tensor(graph, "features.0.weight"), { dataType: 10 }),
    /Conv ".*": tensor "features\.0\.weight" is float16, expected float32: export the network in float32/,
  ],
  "an input of bytes": [
    (graph) => Object.assign(typeOf(graph.input[0]!), { elemType: 2 }),
    /its input "images" is uint8, expected float32/,
  ],
  "several inputs": [
    (graph) => void graph.input.push(Object.assign(clone(ValueInfoProtoSchema, graph.input[0]!), { name: "mask" })),
    /it has 2 inputs \("images", "mask"\), expected one/,
  ],
  "several outputs": [
    (graph) =>
      void graph.output.push(
        Object.assign(clone(ValueInfoProtoSchema, graph.output[0]!), { name: node(graph, "Relu").output[0]! }),
      ),
    /it has 2 outputs \("logits", ".*"\), expected one/,
  ],
  "images of any height, but another width than the data's": [
    (graph) => {
      resize(graph.input[0]!, 2, "height");
      resize(graph.input[0]!, 3, 30);
    },
    /its input "images" is \[batch, 1, \?, 30\], the data set's images are 28 x 28 with 1 channels: choose a data set/,
  ],
  "images of another size than the data's": [
    (graph) => resize(graph.input[0]!, 2, 32),
    /its input "images" is \[batch, 1, 32, 28\], the data set's images are 28 x 28 with 1 channels: choose a data set/,
  ],
  "a weight that is no number": [
    (graph) => {
      const found = tensor(graph, "features.0.bias");
      const values = Float32Array.of(0, 1, Number.NaN, 3, 4, 5);
      Object.assign(found, { rawData: new Uint8Array(values.buffer) });
    },
    /Conv ".*": features\.0\.bias holds NaN \(number 2 of 6\)/,
  ],
  "a weight that float32 cannot square": [
    (graph) => {
      const values = new Float32Array(6 * 25).fill(0.1).with(3, -1e20);
      Object.assign(tensor(graph, "features.0.weight"), { rawData: new Uint8Array(values.buffer) });
    },
    /Conv ".*": tensor "features\.0\.weight" holds -100000002004087730000 \(number 3 of 150\), expected .* at most 1000000000000000 in size/,
  ],
  "a weight of no numbers": [
    (graph) => Object.assign(tensor(graph, "features.4.weight"), { dims: [8n, 6n, 0n, 3n], rawData: new Uint8Array() }),
    /Conv ".*": its weight "features\.4\.weight" is empty: \[8,6,0,3\]/,
  ],
  "a dense weight of no numbers": [
    (graph) => Object.assign(tensor(graph, "classifier.4.weight"), { dims: [0n, 24n], rawData: new Uint8Array() }),
    /Gemm ".*": its weight "classifier\.4\.weight" is empty: \[0,24\]/,
  ],
  "a sparse tensor": [
    (graph) => {
      const values = tensor(graph, "features.0.weight");
      graph.sparseInitializer = [create(SparseTensorProtoSchema, { values, dims: [6n, 1n, 5n, 5n] })];
      graph.initializer = graph.initializer.filter(({ name }) => name !== "features.0.weight");
    },
    /tensor "features\.0\.weight" is stored sparse \(sparse_initializer\), expected dense/,
  ],
  "a convolution along one axis": [
    (graph) => Object.assign(attribute(graph, "Conv", "strides"), { ints: [1n, 1n, 1n] }),
    /Conv ".*": its strides have 3 dimensions, expected 1 or 2: lines and images alone/,
  ],
  "images that are cut": [
    (graph) => {
      const images = graph.input[0]!.name;
      const bound = (name: string, at: bigint) =>
        create(TensorProtoSchema, { name, dims: [1n], dataType: 7, int64Data: [at] });
      graph.initializer.push(bound("from", 0n), bound("to", 1n));
      const cut = { opType: "Slice", name: "cut", input: [images, "from", "to"], output: ["piece"] };
      graph.node.unshift(create(NodeProtoSchema, cut));
      node(graph, "Conv").input[0] = "piece";
    },
    /Slice "cut": it cuts the batch/,
  ],
  "other classes than the data's": [
    (graph) => {
      delete typeOf(graph.output[0]!).shape;
      Object.assign(tensor(graph, "classifier.4.weight"), { dims: [9n, 24n], rawData: new Uint8Array(9 * 24 * 4) });
      Object.assign(tensor(graph, "classifier.4.bias"), { dims: [9n], rawData: new Uint8Array(9 * 4) });
    },
    /it gives 9 values for each image, the data set needs 10: choose another data set, or replace the network's last layer/,
  ],
  "an operator set from the future": [
    (_, model) => Object.assign(model.opsetImport[0]!, { version: 26n }),
    /it is of operator set 26, expected 7 to 25/,
  ],
  "an attribute of another type": [
    (graph) => Object.assign(attribute(graph, "Conv", "group"), { type: 1, f: 1 }),
    /Conv ".*": its attribute "group" is of type 1, expected INT/,
  ],
  "training mode": [
    (graph) => Object.assign(attribute(graph, "BatchNormalization", "training_mode"), { i: 1n }),
    /BatchNormalization ".*": it is in training mode: export the network in evaluation mode/,
  ],
};

for (const [what, [change, message]] of Object.entries(broken)) {
  t.test(`${what} is refused`, (t) => {
    const said = complaint(change);
    t.match(said, message);
    t.match(said, /^cannot import the network cnn\.onnx: /);
    t.end();
  });
}

t.test("sizes of images that a file leaves open are the data's", (t) => {
  t.equal(
    complaint((graph) => {
      resize(graph.input[0]!, 2, "height");
      resize(graph.input[0]!, 3, "width");
    }),
    "",
  );
  t.end();
});

t.test("all nodes that are not supported are named at once, with their reasons", (t) => {
  const message = complaint((graph) => {
    Object.assign(node(graph, "Relu"), { opType: "Hardmax", name: "first" });
    Object.assign(node(graph, "Relu"), { opType: "FancyNorm", domain: "com.example", name: "second" });
    Object.assign(attribute(graph, "MaxPool", "dilations"), { ints: [2n, 2n] });
    // Behind the others: its attributes can be judged all the same.
    Object.assign(attribute(graph, "Gemm", "transB"), { name: "transA" });
  });
  t.match(message, /4 nodes are not supported/);
  t.match(message, /\n {2}MaxPool "\/features\/features\.\d\/MaxPool": its dilations are 2, 2: .*\n/);
  t.match(message, /\n {2}Hardmax "first": the operator is not known\n/);
  t.match(message, /\n {2}com\.example\.FancyNorm "second": the operator is not known\n/);
  t.match(message, /\n {2}Gemm "\/classifier\/classifier\.1\/Gemm": its transA is 1, expected 0\n/);
  t.end();
});

t.test("nodes of one operator that are not supported share a line", (t) => {
  const message = complaint((graph) => {
    const relu = node(graph, "Relu");
    const more = Array.from({ length: 40 }, (_, index) =>
      create(NodeProtoSchema, {
        opType: index < 20 ? "Celu" : "Conv",
        name: `extra${index}`,
        input: [index === 0 ? relu.output[0]! : `between${index - 1}`, "features.4.weight"],
        output: [`between${index}`],
        attribute: index < 20 ? [] : [{ name: "pads", type: 7, ints: [0n, 0n, 0n, 0n, 0n, 0n] }],
      }),
    );
    for (const reader of graph.node) {
      reader.input = reader.input.map((name) => (name === relu.output![0] ? "between39" : name));
    }
    graph.node.push(...more);
  });
  t.match(message, /40 nodes are not supported/);
  t.match(message, /\n {2}Celu, 20 nodes \("extra0", "extra1", …\): the operator is not known\n/);
  t.match(message, /\n {2}Conv, 20 nodes \("extra20", "extra21", …\): its pads have 3 dimensions, expected 1 or 2.*\n/);
  t.equal(message.split("\n").length, 4, "three lines and the known operators");
  t.end();
});

t.test("a contradiction does not hide what is not supported", (t) => {
  const message = complaint((graph) => {
    Object.assign(tensor(graph, "features.0.bias"), { dims: [60n] });
    Object.assign(node(graph, "MaxPool"), { opType: "LpPool", name: "second" });
  });
  t.match(message, /features\.0\.bias" has the shape \[60\], but 6 numbers/);
  t.match(message, /\n {2}LpPool "second": the operator is not known\n/);
  t.end();
});

t.test("names that are long, or that a terminal would act on, are not printed whole", (t) => {
  const message = complaint((graph) => {
    Object.assign(node(graph, "Relu"), { opType: "Gelu\u001b[2J", name: "x".repeat(10_000) });
  });
  t.match(message, /Gelu\?\[2J "…x{100}": the operator is not known/);
  t.end();
});

t.test("strides mean nothing to a window that stands in one place", (t) => {
  const model = readModel(bytesOf("pytorch-padded-legacy"), "padded.onnx");
  const { graph } = model;
  Object.assign(attribute(graph, "AveragePool", "kernel_shape"), { ints: [8n, 8n] });
  Object.assign(attribute(graph, "AveragePool", "strides"), { ints: [9n, 1n] });
  Object.assign(tensor(graph, "fc.weight"), { dims: [10n, 8n], rawData: new Uint8Array(320) });
  const { network } = importBytes(encodeModelProto(model), [32, 32, 3], "padded.onnx");
  t.ok(network.nodes.some(({ kind }) => kind === "global-average-pool"));
  t.end();
});

t.test("files that are no networks", (t) => {
  const folder = t.testdir({ "text.onnx": "this is no network", "empty.onnx": "" });
  const load = (name: string) =>
    messageOf(() => loadNetwork({ file: join(folder, name) }, { inputShape: gray, classes: 10 }));
  t.match(load("text.onnx"), /text\.onnx: not an ONNX file/);
  t.match(load("empty.onnx"), /empty\.onnx: not an ONNX file/);
  t.match(load("none.onnx"), /cannot read network\.file .*none\.onnx \(seen from .*\): ENOENT/);
  t.match(load("."), /it is no file/);
  const bytes = bytesOf("pytorch-cnn-legacy");
  writeFileSync(join(folder, "cut.onnx"), bytes.subarray(0, bytes.length / 2));
  t.match(load("cut.onnx"), /cut\.onnx: not an ONNX file, or damaged/);
  // A sparse file: it takes no room.
  truncateSync(join(folder, "text.onnx"), 3 * 2 ** 30);
  t.match(load("text.onnx"), /it has 3221225472 bytes, and a network of one file has at most 2 GB/);
  t.match(
    messageOf(() => loadNetwork({ file: pathOf("pytorch-cnn-legacy") }, { inputShape: [32, 32, 3], classes: 10 })),
    /the data set's images are 32 x 32 with 3 channels/,
  );
  t.end();
});
