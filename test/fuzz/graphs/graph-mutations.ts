import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import {
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
} from "../../../src/onnx/generated/onnx_pb.ts";
import { mutated } from "../mutations.ts";
import type { Draw } from "./draw.ts";

/** A message, or a list in one, whose fields are changed by their names. */
type Fields = Record<string, unknown>;

interface Field {
  readonly of: Fields;
  readonly key: string;
}

/** All fields of a kind, at any depth. */
function* fieldsIn(value: unknown, isWanted: (value: unknown) => boolean): Generator<Field> {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key.startsWith("$")) continue;
    // Every object has fields of unknown kinds.
    if (isWanted(inner)) yield { of: value as Fields, key };
    yield* fieldsIn(inner, isWanted);
  }
}

const numbers = [0, 1, -1, 2, 7, 10, 11, 16, 21, 127, 128, 1000, 2 ** 31 - 1, -(2 ** 31)];
const large = [...numbers.map(BigInt), 2n ** 32n, 2n ** 40n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)];
const locations = ["../out.bin", "/etc/passwd", "/dev/zero", "", ".", "it.onnx", "a/../../b", "missing.bin", "\0"];

/** Changes a model in one place; false: it has none. */
type Mutation = (draw: Draw, model: ModelProto) => boolean;

const change =
  (isWanted: (value: unknown) => boolean, put: (draw: Draw, value: never) => unknown): Mutation =>
  (draw, model) => {
    const found = [...fieldsIn(model, isWanted)];
    if (found.length === 0) return false;
    const { of, key } = draw.pick(found);
    of[key] = put(draw, of[key] as never);
    return true;
  };

const isList = (value: unknown) => Array.isArray(value) && value.length > 0;
const names = (model: ModelProto) =>
  [...fieldsIn(model, (value) => typeof value === "string")].map(({ of, key }) => of[key] as string);

const changeName: Mutation = (draw, model) => {
  const other = draw.pick([...names(model), "", "x.step", "nothing"]);
  return change(
    (value) => typeof value === "string",
    () => other,
  )(draw, model);
};

const swapNames: Mutation = (draw, model) => {
  const found = [...fieldsIn(model.graph?.node, (value) => typeof value === "string")];
  if (found.length < 2) return false;
  const [a, b] = [draw.pick(found), draw.pick(found)];
  [a.of[a.key], b.of[b.key]] = [b.of[b.key], a.of[a.key]];
  return true;
};

const tensorsOf = (model: ModelProto): TensorProto[] =>
  [...fieldsIn(model, (value) => (value as TensorProto)?.$typeName === "onnx.TensorProto")].map(
    ({ of, key }) => of[key] as TensorProto,
  );

const external: Mutation = (draw, model) => {
  const tensors = tensorsOf(model);
  if (tensors.length === 0) return false;
  const tensor = draw.pick(tensors);
  tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
  const entries: readonly (readonly [key: string, value: string])[] = [
    ["location", draw.pick(locations)],
    ["offset", draw.pick(["0", "-1", "9e99", "x", "18446744073709551615"])],
    ["length", draw.pick(["0", "4", "-4", "1e12"])],
  ];
  tensor.externalData = entries
    .slice(0, draw.int(0, 3))
    .map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }));
  if (draw.chance(0.5)) tensor.rawData = new Uint8Array();
  return true;
};

const dims: Mutation = (draw, model) => {
  const tensors = tensorsOf(model).filter(({ dims }) => dims.length > 0);
  if (tensors.length === 0) return false;
  const tensor = draw.pick(tensors);
  const changes = [
    () => void tensor.dims.splice(draw.int(0, tensor.dims.length - 1), 1, draw.pick(large)),
    () => void tensor.dims.push(draw.pick([1n, 1n, 2n, 0n])),
    () => void tensor.dims.pop(),
    () => void tensor.dims.reverse(),
  ];
  draw.pick(changes)();
  return true;
};

/** Numbers that are none, or very large, in a weight. */
const spoiled: Mutation = (draw, model) => {
  const tensors = tensorsOf(model).filter(({ dataType, rawData }) => dataType === 1 && rawData.length >= 4);
  if (tensors.length === 0) return false;
  const tensor = draw.pick(tensors);
  const data = Uint8Array.from(tensor.rawData);
  const value = draw.pick([Number.NaN, Number.POSITIVE_INFINITY, 3e38, -3e38, 1e-40]);
  const view = new DataView(data.buffer);
  const all = draw.chance(0.3);
  const one = draw.int(0, Math.floor(data.length / 4) - 1);
  for (let index = 0; index < data.length / 4; index++)
    if (all || index === one) view.setFloat32(4 * index, value, true);
  tensor.rawData = data;
  return true;
};

const cycle: Mutation = (draw, model) => {
  const nodes = model.graph?.node.filter(({ input, output }) => input.length > 0 && output.length > 0) ?? [];
  if (nodes.length === 0) return false;
  const [reader, maker] = [draw.pick(nodes), draw.pick(nodes)];
  reader.input[draw.int(0, reader.input.length - 1)] = maker.output[0]!;
  return true;
};

const inGraph =
  (put: (draw: Draw, graph: GraphProto) => void): Mutation =>
  (draw, model) => {
    if (model.graph === undefined) return false;
    put(draw, model.graph);
    return true;
  };

/** Another name for a value wherever it stands: the file computes what it did. */
const renamed: Mutation = (draw, model) => {
  const from = draw.pick(names(model));
  const to = draw.pick([
    "x.step",
    "__proto__",
    "constructor",
    "a\nb",
    "",
    `${from}/Mul`,
    `${from}.float`,
    from.repeat(20),
  ]);
  for (const { of, key } of fieldsIn(model, (value) => value === from)) of[key] = to;
  return true;
};

/** A weight with its sizes in another order, and as many numbers as before. */
const turned: Mutation = (draw, model) => {
  const tensors = tensorsOf(model).filter(({ dims }) => dims.length > 1);
  if (tensors.length === 0) return false;
  const tensor = draw.pick(tensors);
  tensor.dims = draw.shuffled(tensor.dims);
  return true;
};

/** An attribute is left out, or says something near what it said. */
const attribute: Mutation = (draw, model) => {
  const nodes = model.graph?.node.filter(({ attribute }) => attribute.length > 0) ?? [];
  if (nodes.length === 0) return false;
  const node = draw.pick(nodes);
  const one = draw.pick(node.attribute);
  if (draw.chance(0.4)) node.attribute = node.attribute.filter((other) => other !== one);
  else if (one.ints.length > 0) one.ints = one.ints.map((value) => value + BigInt(draw.int(-1, 1)));
  else one.i += BigInt(draw.pick([-1, 1]));
  return true;
};

const mutations: readonly Mutation[] = [
  // Lists: of nodes, tensors, attributes, inputs, outputs, dims, operator sets.
  change(isList, (draw, list: unknown[]) => list.toSpliced(draw.int(0, list.length - 1), 1)),
  change(isList, (draw, list: unknown[]) => [...list, draw.pick(list)]),
  change(isList, (draw, list: unknown[]) => draw.shuffled(list)),
  change(isList, () => []),
  change(
    (value) => typeof value === "bigint",
    (draw) => draw.pick(large),
  ),
  change(
    (value) => typeof value === "number",
    (draw) => draw.pick(numbers),
  ),
  change(
    (value) => value instanceof Uint8Array && value.length > 0,
    (draw, bytes: Uint8Array) =>
      draw.pick([
        bytes.subarray(1),
        bytes.subarray(0, draw.int(0, bytes.length)),
        new Uint8Array(),
        Buffer.concat([bytes, bytes]),
      ]),
  ),
  ...[
    changeName,
    swapNames,
    external,
    dims,
    dims,
    spoiled,
    spoiled,
    cycle,
    renamed,
    renamed,
    turned,
    attribute,
    attribute,
  ],
  inGraph((draw, graph) => void Object.assign(graph, { node: draw.shuffled(graph.node) })),
  inGraph((draw, graph) => {
    const at = draw.int(0, Math.max(0, graph.initializer.length - 1));
    graph.initializer = graph.initializer.filter((_, index) => index !== at);
  }),
  (draw, model) => {
    for (const imported of model.opsetImport) imported.version = draw.pick([0n, 1n, 6n, 7n, 12n, 18n, 24n, 99n, -1n]);
    return true;
  },
];

/** A file that has been changed in a few places: of its structure, or of its bytes. */
export function mutatedBytes(draw: Draw, bytes: Uint8Array): Uint8Array {
  if (draw.chance(0.15)) return fc.sample(mutated([bytes]), { numRuns: 1, seed: draw.int(0, 2 ** 31 - 1) })[0]!;
  const model = fromBinary(ModelProtoSchema, bytes);
  for (let changes = draw.pick([1, 1, 1, 2, 3]); changes > 0; changes--) {
    for (let attempt = 0; attempt < 5 && !draw.pick(mutations)(draw, model); attempt++);
  }
  try {
    return toBinary(ModelProtoSchema, model);
  } catch {
    // A number became a name: no file holds that.
    return mutatedBytes(draw, bytes);
  }
}
