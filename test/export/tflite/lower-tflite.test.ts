import { ByteBuffer } from "flatbuffers";
import t from "tap";
import type { ExportInput } from "../../../src/config/sections/export-settings.ts";
import { isFrozenLayer } from "../../../src/export/frozen-network.ts";
import {
  BuiltinOperator,
  Model,
  type SubGraph,
  TensorType,
} from "../../../src/export/tflite/generated/tflite_generated.ts";
import { lowerTflite } from "../../../src/export/tflite/lower-tflite.ts";
import type { Network } from "../../../src/kinds/index.ts";
import { lenet5 } from "../../../src/network/zoo/lenet5.ts";
import { concatNetwork } from "../../fixtures/concat-network.ts";
import { anyEngine } from "../../fixtures/engines.ts";
import { freezeModel, narrowNetworks, randomModel } from "../../fixtures/random-models.ts";

const { ops } = await anyEngine();

const { attention, responses, ...onImages } = narrowNetworks;
const networks: Readonly<Record<string, () => Network>> = { ...onImages, concat: concatNetwork };
const wide = { "wide lenet5": () => lenet5({ inputShape: [28, 28, 1], classes: 10 }) };
const everyNetwork: Readonly<Record<string, () => Network>> = { ...networks, ...wide };

const lowered = (name: string, bits: readonly (2 | 4 | 8 | 16 | 32)[], input: ExportInput = "uint8") => {
  const network = freezeModel(randomModel(ops, { network: everyNetwork[name]!(), seed: 5, bits, pruned: 0.3 }));
  const { bytes, notes } = lowerTflite(network, { input, metadata: { run: "a run" } });
  return { network, bytes, notes };
};

const open = (bytes: Uint8Array) => Model.getRootAsModel(new ByteBuffer(bytes));

function operatorsOf(model: Model) {
  const graph = model.subgraphs(0)!;
  return Array.from({ length: graph.operatorsLength() }, (_, index) => {
    const operator = graph.operators(index)!;
    const code = model.operatorCodes(operator.opcodeIndex())!;
    return {
      kind: BuiltinOperator[code.builtinCode()]!,
      version: code.version(),
      inputs: Array.from(operator.inputsArray()!, (at) => tensorAt(graph, at)),
      output: tensorAt(graph, operator.outputs(0)!),
    };
  });
}

/** Of the tensor of that name, what the file stores. */
function bytesOf(model: Model, graph: SubGraph, name: string): number {
  const indices = Array.from({ length: graph.tensorsLength() }, (_, index) => index);
  const tensor = graph.tensors(indices.find((index) => graph.tensors(index)!.name() === name)!)!;
  return model.buffers(tensor.buffer())!.dataLength();
}

function tensorAt(graph: SubGraph, index: number) {
  const tensor = graph.tensors(index)!;
  return {
    name: tensor.name()!,
    type: TensorType[tensor.type()],
    steps: tensor.quantization()?.scaleLength() ?? 0,
    shape: Array.from(tensor.shapeArray()!),
  };
}

const layerKinds = ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"];

for (const name of Object.keys(networks)) {
  t.test(`${name}: layers of codes compute in integers, and the notes name the others`, async (t) => {
    const { network, bytes, notes } = lowered(name, [2, 4, 8]);
    const layers = operatorsOf(open(bytes)).filter(({ kind }) => layerKinds.includes(kind));
    t.equal(layers.length, network.nodes.filter(isFrozenLayer).length);
    const float = layers.filter(({ inputs }) => inputs[0]!.type === "FLOAT32");
    for (const { inputs, output } of layers.filter((layer) => !float.includes(layer))) {
      const [image, weight, bias] = inputs;
      t.match(
        [image, weight, bias, output],
        ["INT8", /^INT[48]$/, "INT32", "INT8"].map((type) => ({ type })),
      );
      if (weight!.type === "INT4")
        t.match([weight!.shape.length, weight!.shape[1]! % 2], [2, 0], "rows of even length");
      t.equal(weight!.steps, bias!.shape[0], "a step for each output channel");
      t.equal(bias!.steps, bias!.shape[0]);
    }
    t.strictSame(
      float.map(({ output }) => (output.name === "logits" ? network.output : output.name)),
      notes.map((note) => note.split(" ")[0]),
    );
    // Those that a nonlinearity reads compute in float32.
    t.ok(float.length < layers.length || name === "concat" || name === "gated-residuals");
  });
}

t.test("a dense layer of 4 bits keeps 4", async (t) => {
  const layersOf = (name: string, bits: 4 | 8) => {
    const model = open(lowered(name, [bits]).bytes);
    const graph = model.subgraphs(0)!;
    return operatorsOf(model).flatMap(({ kind, version, inputs: [image, weight] }) =>
      layerKinds.includes(kind) && image!.type === "INT8"
        ? [{ kind, version, weight: weight!, bytes: bytesOf(model, graph, weight!.name) }]
        : [],
    );
  };
  const layers = layersOf("wide lenet5", 4);
  const packed = layers.filter(({ weight }) => weight.type === "INT4");
  t.strictSame(
    packed.map(({ weight }) => weight.name),
    ["fc1.weight"],
  );
  for (const { kind, version, weight, bytes } of packed) {
    t.match({ kind, version }, { kind: "FULLY_CONNECTED", version: 10 });
    t.equal(bytes, Math.ceil((weight.shape[0]! * weight.shape[1]!) / 2), "two in a byte");
  }
  t.equal(layers.find(({ kind }) => kind === "CONV_2D")!.weight.type, "INT8");
  // A version that older readers have, where nothing needs a newer one.
  for (const { kind, version } of layersOf("lenet5", 8)) t.equal(version, kind === "FULLY_CONNECTED" ? 5 : 3);
});

t.test("what is wider than 8 bits computes in float32, its weight in the bits that fit it", async (t) => {
  const { bytes, notes } = lowered("lenet5", [16]);
  const operators = operatorsOf(open(bytes));
  t.ok(operators.some(({ kind }) => kind === "ROUND"));
  t.ok(operators.filter(({ kind }) => layerKinds.includes(kind)).every(({ inputs }) => inputs[0]!.type === "FLOAT32"));
  t.ok(
    notes.includes("conv2 computes in float32: it reads float32 values; its weight is stored in int16"),
    notes.join(),
  );
});

t.test("the file says what it takes and what was learned", async (t) => {
  const { network, bytes } = lowered("lenet5", [2, 4, 8]);
  const model = open(bytes);
  const entries = Array.from({ length: model.metadataLength() }, (_, index) => {
    const entry = model.metadata(index)!;
    return [entry.name()!, new TextDecoder().decode(model.buffers(entry.buffer())!.dataArray()!)] as const;
  });
  const metadata = Object.fromEntries(entries);
  t.strictSame(JSON.parse(metadata.classes!), network.classes);
  t.ok(Object.keys(JSON.parse(metadata.bits!)).includes("conv1.weight"));
  t.match(metadata, { run: "a run", input: "uint8", name: network.name });
  const signature = model.signatureDefs(0)!;
  t.equal(signature.inputs(0)!.name(), "input");
  t.equal(signature.outputs(0)!.name(), "logits");
  const graph = model.subgraphs(0)!;
  t.match(tensorAt(graph, graph.inputs(0)!), { name: "input", type: "UINT8", shape: [1, 16, 17, 1] });
  const float = open(lowered("lenet5", [8], "float").bytes).subgraphs(0)!;
  t.match(tensorAt(float, float.inputs(0)!), { name: "input", type: "FLOAT32" });
  const signed = open(lowered("lenet5", [8], "int8").bytes).subgraphs(0)!;
  t.match(tensorAt(signed, signed.inputs(0)!), { name: "input", type: "INT8" });
});

t.test("the data of every tensor begins at a multiple of 16 bytes", async (t) => {
  const { bytes } = lowered("vgg7", [2, 4, 8]);
  const model = open(bytes);
  let found = 0;
  for (let index = 0; index < model.buffersLength(); index++) {
    const data = model.buffers(index)!.dataArray();
    if (data === null) continue;
    found++;
    t.equal((data.byteOffset - bytes.byteOffset) % 16, 0, `buffer ${index}`);
  }
  t.ok(found > 20);
});

t.test("a network of what has no form is refused, with the forms that it has", async (t) => {
  for (const [make, what] of [
    [attention, "without .*"],
    [responses, "without resize"],
  ] as const) {
    const network = freezeModel(randomModel(ops, { network: make!(), seed: 5, bits: [8], pruned: 0 }));
    t.throws(() => lowerTflite(network, { input: "uint8", metadata: {} }), {
      name: "UserError",
      message: new RegExp(
        `cannot export .*: TensorFlow Lite files here are of networks on images, ${what}: export one of the ONNX forms`,
      ),
    });
  }
});
