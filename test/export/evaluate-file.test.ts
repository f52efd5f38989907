import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { create } from "@bufbuild/protobuf";
import t from "tap";
import { uniforms } from "../../src/core/random.ts";
import type { Dataset, ImageShape } from "../../src/data/dataset.ts";
import { DatasetModel } from "../../src/export/dataset-model.ts";
import { evaluateFile } from "../../src/export/evaluate-file.ts";
import { GraphBuilder } from "../../src/export/onnx/graph-builder.ts";
import { encodeModelProto, readModel } from "../../src/export/onnx/read-model.ts";
import { elementTypes } from "../../src/onnx/element-types.ts";
import { TensorProto_DataLocation, TensorProtoSchema } from "../../src/onnx/generated/onnx_pb.ts";
import { withGraph } from "../../src/onnx/onnx-model.ts";
import { encodePlain, node } from "../fixtures/onnx/plain-model.ts";
import { splitOf, trainingSplitOf } from "../fixtures/splits.ts";
import { classifying, classTargets } from "../fixtures/tasks.ts";

const classes = 4;
const count = 23;
const task = classifying(classes);

/** Images whose class is the largest of their products with `weight`, [height·width·channels, classes]. */
function problem([height, width, channels]: ImageShape) {
  const elements = height * width * channels;
  const weight = Float32Array.from(
    uniforms({ seed: 3, stream: "weight", counter: 0 }, elements * classes),
    (u) => u - 0.5,
  );
  const images = Uint8Array.from(uniforms({ seed: 3, stream: "images", counter: 0 }, elements * count), (u) => u * 256);
  const normalization = {
    mean: Array.from({ length: channels }, (_, channel) => 0.3 + 0.1 * channel),
    deviation: Array.from({ length: channels }, (_, channel) => 0.2 + 0.1 * channel),
  };
  const values = Array.from(images, (byte, index) => {
    const channel = index % channels;
    return (byte / 255 - normalization.mean[channel]!) / normalization.deviation[channel]!;
  });
  const labels = Array.from({ length: count }, (_, image) => {
    const logits = Array.from({ length: classes }, (_, output) => {
      let sum = 0;
      for (let at = 0; at < elements; at++) sum += values[image * elements + at]! * weight[at * classes + output]!;
      return sum;
    });
    return logits.indexOf(Math.max(...logits));
  });
  const set = { count, images, targets: classTargets(labels) };
  const shape: ImageShape = [height, width, channels];
  const dataset: Dataset = {
    name: "made",
    imageShape: shape,
    targets: { kind: "classes", names: ["a", "b", "c", "d"] },
    normalization,
    train: trainingSplitOf(set, shape, 1),
    validation: null,
    test: splitOf(set, shape),
    files: [],
    images: null,
    damaged: () => [],
    close: async () => {},
  };
  return { dataset, weight };
}

/** A file that flattens its images and multiplies them by `weight`. */
function fileOf(weight: Float32Array, shape: readonly (number | string)[]): Uint8Array {
  const graph = new GraphBuilder();
  const flat = graph.node("Flatten", ["images"], { name: "flat", attributes: { axis: 1 } });
  const matrix = graph.floats("weight", weight, [weight.length / classes, classes]);
  graph.node("MatMul", [flat, matrix], { name: "product", output: "logits" });
  return graph.encode({
    name: "made",
    doc: "",
    inputs: [{ name: "images", shape, type: elementTypes.float }],
    outputs: [{ name: "logits", shape: [shape[0]!, classes] }],
    metadata: {},
  });
}

/** Rows of `weight` in the order of channels-first images. */
function channelsFirst(weight: Float32Array, [height, width, channels]: ImageShape): Float32Array {
  const area = height * width;
  return weight.map((_, at) => {
    const row = Math.floor(at / classes);
    return weight[((row % area) * channels + Math.floor(row / area)) * classes + (at % classes)]!;
  });
}

t.test("evaluate takes the layouts and batches that training takes", async (t) => {
  const folder = t.testdir();
  const color: ImageShape = [5, 4, 3];
  const gray: ImageShape = [5, 4, 1];
  const cases: readonly (readonly [ImageShape, readonly (number | string)[]])[] = [
    [color, ["batch", 3, 5, 4]],
    [color, ["batch", 5, 4, 3]],
    [color, [1, 3, 5, 4]],
    [color, [1, 5, 4, 3]],
    [color, [8, 3, 5, 4]],
    [color, ["batch", 3, "height", "width"]],
    [gray, ["batch", 1, 5, 4]],
    [gray, ["batch", 5, 4, 1]],
    [gray, ["batch", 5, 4]],
    [gray, [1, 5, 4]],
    [gray, ["batch", 20]],
    [gray, [7, 20]],
  ];
  for (const [shape, input] of cases) {
    const { dataset, weight } = problem(shape);
    const file = join(folder, "model.onnx");
    writeFileSync(file, fileOf(input[1] === 3 ? channelsFirst(weight, shape) : weight, input));
    t.same(await evaluateFile(file, dataset, task), { metrics: { top1: 100 }, images: count }, `[${input}]`);
  }
});

t.test("other sizes are refused with both", async (t) => {
  const { dataset, weight } = problem([5, 4, 3]);
  const file = join(t.testdir(), "model.onnx");
  for (const input of [
    ["batch", 3, 6, 4],
    ["batch", 60],
    ["batch", 5, 4],
  ]) {
    writeFileSync(file, fileOf(weight, input));
    const given = input.slice(1).join(", ");
    await t.rejects(evaluateFile(file, dataset, task), {
      name: "UserError",
      message: new RegExp(`takes \\[\\?, ${given}\\], the data set's images are 5 x 4 with 3 channels`),
    });
  }
});

t.test("logits that are not numbers are told", async (t) => {
  const { dataset, weight } = problem([5, 4, 1]);
  const file = join(t.testdir(), "model.onnx");
  writeFileSync(file, fileOf(weight.fill(Number.NaN, 5, 6), ["batch", 1, 5, 4]));
  await t.rejects(evaluateFile(file, dataset, task), {
    name: "UserError",
    message: /its output is not a number for 23 of 23 images/,
  });
});

t.test("weights in another file are read from beside the model, or missed by name", async (t) => {
  const { dataset, weight } = problem([5, 4, 1]);
  const folder = t.testdir();
  const file = join(folder, "model.onnx");
  const weights = join(folder, "weights.bin");
  const model = readModel(fileOf(weight, ["batch", 1, 5, 4]), file);
  const [tensor] = model.graph.initializer;
  writeFileSync(weights, tensor!.rawData);
  const moved = create(TensorProtoSchema, {
    name: tensor!.name,
    dims: tensor!.dims,
    dataType: tensor!.dataType,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [{ key: "location", value: basename(weights) }],
  });
  const external = withGraph(model, { initializer: [moved] });
  writeFileSync(file, encodeModelProto(external));
  t.same(await evaluateFile(file, dataset, task), { metrics: { top1: 100 }, images: count });
  const alone = join(t.testdir(), "model.onnx");
  writeFileSync(alone, encodeModelProto(external));
  await t.rejects(evaluateFile(alone, dataset, task), {
    name: "UserError",
    message: /weights\.bin, which is not beside it/,
  });
});

t.test("pixels come channels last, whatever sizes the file says its output has", async (t) => {
  const file = join(t.testdir(), "model.onnx");
  const dataset = {
    ...{ name: "made", imageShape: [2, 3, 1], normalization: { mean: [0], deviation: [1] } },
    targets: { kind: "none" } as const,
  };
  const shapes: readonly (readonly (number | string)[])[] = [
    ["b", 2, 2, 3],
    ["b", 2, "h", "w"],
    ["b", "c", "h", "w"],
  ];
  for (const output of shapes) {
    const weights = { name: "w", dims: [2, 1, 1, 1], dataType: elementTypes.float, floatData: [255, -255] };
    const model = {
      ...{
        opset: 17,
        inputs: [{ name: "images", shape: ["b", 1, "h", "w"] }],
        outputs: [{ name: "y", shape: output }],
      },
      ...{ tensors: [weights], nodes: [node("Conv", ["images", "w"], "y")] },
    };
    writeFileSync(file, encodePlain(model));
    const opened = await DatasetModel.open(file, dataset);
    const found = await opened.outputs({ count: 2, images: Uint8Array.from({ length: 12 }, (_, pixel) => pixel) });
    const expected = Array.from({ length: 12 }, (_, pixel) => [pixel, -pixel]).flat();
    t.ok(
      [...found].every((value, at) => Math.abs(value - expected[at]!) < 1e-4),
      `[${output}]: ${found}`,
    );
    const values = await DatasetModel.open(file, { ...dataset, targets: { kind: "values", outputs: 12 } });
    const ordered = await values.outputs({ count: 1, images: Uint8Array.of(0, 1, 2, 3, 4, 5) });
    await values.release();
    t.strictSame(
      [...ordered].map(Math.round),
      [0, 1, 2, 3, 4, 5, -0, -1, -2, -3, -4, -5],
      "values are in the file's order",
    );
    await opened.release();
  }
});
