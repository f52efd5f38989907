import fc from "fast-check";
import t from "tap";
import { UserError } from "../../../src/core/errors.ts";
import { operators } from "../../../src/network/onnx/operators/index.ts";
import { encodeModelProto, type Model, readModel } from "../../../src/onnx/onnx-model.ts";
import { createQuantizers } from "../../../src/quantizers/create-quantizers.ts";
import { insertQuantizers } from "../../../src/quantizers/insert-quantizers.ts";
import { bytesOf, importBytes, type NetworkFileName, networkFiles } from "../../fixtures/onnx/files.ts";

/** `FUZZ_RUNS=20000 npx tap test/network/onnx/mutations.test.ts` looks longer. */
const numRuns = Number(process.env.FUZZ_RUNS ?? 400);
const names: readonly NetworkFileName[] = [
  "handwritten-odd",
  "handwritten-channels-last",
  "keras-mobilenet",
  "pytorch-cnn-legacy",
  "pytorch-mobilenet-dynamo",
];
const gates = { prune: 6, bits4: 6, bits8: 6, bits16: -6, bits32: -6 };

/** Either a message for the user or a network that can be made ready for training: anything else is a defect. */
function isSound(name: NetworkFileName, bytes: Uint8Array): void {
  try {
    const { network, initial } = importBytes(bytes, networkFiles[name]);
    const quantized = insertQuantizers(network);
    createQuantizers(quantized, { pruning: true, initial: gates, prior: "bop" });
    for (const node of network.nodes) {
      if (node.kind === "parameter" && !initial.parameters.has(node.id)) throw new Error(`${node.id} has no values`);
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
}

t.test("bytes changed, cut off or put in give a message or a network", (t) => {
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    to: fc.integer({ min: 0, max: 255 }),
  });
  const law = fc.property(
    fc.constantFrom(...names),
    fc.array(change, { minLength: 1, maxLength: 6 }),
    fc.constantFrom("set", "cut", "insert", "delete"),
    (name, changes, kind) => {
      let bytes = [...bytesOf(name)];
      for (const { at, to } of changes) {
        const index = Math.floor(at * bytes.length);
        if (kind === "set") bytes[index] = to;
        else if (kind === "cut") bytes = bytes.slice(0, index);
        else bytes.splice(index, kind === "delete" ? 1 : 0, ...(kind === "insert" ? [to] : []));
      }
      isSound(name, Uint8Array.from(bytes));
    },
  );
  t.doesNotThrow(() => fc.assert(law, { seed: 1, numRuns }));
  t.end();
});

const number = fc.oneof(fc.integer({ min: -3, max: 40 }), fc.constantFrom(2 ** 31, 2 ** 53, -(2 ** 31)));
const pick = fc.nat({ max: 10_000 });
const edit = fc.oneof(
  fc.record({ kind: fc.constant("operator" as const), node: pick, operator: fc.constantFrom(...operators.keys()) }),
  fc.record({ kind: fc.constant("input" as const), node: pick, slot: fc.nat({ max: 4 }), value: pick }),
  fc.record({
    kind: fc.constant("attribute" as const),
    node: pick,
    attribute: pick,
    values: fc.array(number, { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant("dims" as const), tensor: pick, values: fc.array(number, { maxLength: 5 }) }),
  fc.record({ kind: fc.constant("integers" as const), tensor: pick, values: fc.array(number, { maxLength: 8 }) }),
  fc.record({ kind: fc.constant("remove" as const), node: pick }),
);

/** Wires, attributes and shapes made up at random: files that parse, and mean something else. */
function apply(model: Model, change: typeof edit extends fc.Arbitrary<infer T> ? T : never): void {
  const { graph } = model;
  const { node: nodes, initializer: tensors } = graph;
  const of = <T>(list: readonly T[], index: number): T => list[index % list.length]!;
  switch (change.kind) {
    case "operator":
      of(nodes, change.node).opType = change.operator;
      break;
    case "input": {
      const values = [
        ...nodes.flatMap(({ output }) => output),
        ...tensors.map(({ name }) => name),
        graph.input[0]!.name,
      ];
      const { input } = of(nodes, change.node);
      input[change.slot % (input.length + 1)] = of(values, change.value);
      break;
    }
    case "attribute": {
      const { attribute } = of(nodes, change.node);
      if (attribute.length === 0) break;
      const found = of(attribute, change.attribute);
      const values = change.values.map(BigInt);
      if (found.ints.length > 0) found.ints = values;
      else found.i = values[0] ?? 0n;
      break;
    }
    case "dims":
      of(tensors, change.tensor).dims = change.values.map(BigInt);
      break;
    case "integers": {
      const integers = tensors.filter(({ dataType }) => dataType === 7);
      if (integers.length === 0) break;
      Object.assign(of(integers, change.tensor), {
        dims: [BigInt(change.values.length)],
        rawData: new Uint8Array(),
        int64Data: change.values.map(BigInt),
      });
      break;
    }
    case "remove":
      nodes.splice(change.node % nodes.length, 1);
  }
}

t.test("other wires, operators, attributes and shapes give a message or a network", (t) => {
  const law = fc.property(fc.constantFrom(...names), fc.array(edit, { minLength: 1, maxLength: 4 }), (name, edits) => {
    const model = readModel(bytesOf(name), name);
    for (const change of edits) if (model.graph.node.length > 0) apply(model, change);
    isSound(name, encodeModelProto(model));
  });
  t.doesNotThrow(() => fc.assert(law, { seed: 1, numRuns }));
  t.end();
});
