import { encodePlain, type PlainNode, type PlainTensor } from "../fixtures/onnx/plain-model.ts";

/** Numbers of a tensor, in as few bytes as there can be: those of a zero. */
const floats = (name: string, dims: readonly number[]): PlainTensor => ({
  ...{ name, dims: [...dims], dataType: 1 },
  rawData: new Uint8Array(4 * dims.reduce((product, size) => product * size, 1)),
});

const integers = (name: string, values: readonly number[]): PlainTensor => ({
  ...{ name, dims: [values.length], dataType: 7 },
  int64Data: [...values],
});

/** A network over gray images of 28 x 28, of a chain of nodes: each has what the one before makes as its first input. */
function file(nodes: readonly PlainNode[], tensors: readonly PlainTensor[]): Uint8Array {
  const inputs = [{ name: "x", shape: [1, 1, 28, 28] }];
  return encodePlain({ opset: 17, nodes, tensors, inputs, outputs: [{ name: "y" }] });
}

/** `count` nodes in a row from `first` to "y". */
function chain(count: number, first: string, node: (input: string, index: number) => PlainNode): PlainNode[] {
  return Array.from({ length: count }, (_, index) => ({
    ...node(index === 0 ? first : `v${index - 1}`, index),
    output: [index === count - 1 ? "y" : `v${index}`],
  }));
}

const axis = (i: number) => ({ name: "axis", type: 2, i });
const conv = (input: string): PlainNode => ({ opType: "Conv", input: [input, "w"] });

/** Files of less than 1 MB that ask for gigabytes, minutes or megabytes of messages. */
export const bombs: Readonly<Record<string, Uint8Array>> = {
  "lists that double": file(
    chain(39, "list", (input) => ({ opType: "Concat", input: [input, input], attribute: [axis(0)] })),
    [integers("list", [1, 2, 3, 4])],
  ),
  "numbers that double": file(
    chain(39, "numbers", (input) => ({ opType: "Concat", input: [input, input], attribute: [axis(0)] })),
    [floats("numbers", [4])],
  ),
  "constants that are repeated": file(
    chain(2000, "one", (input) => ({ opType: "Expand", input: ["one", "million", input] })),
    [floats("one", [1]), integers("million", [2 ** 20])],
  ),
  "shapes that are filled": file(
    [
      ...Array.from({ length: 3000 }, (_, index) => ({
        ...{ opType: "ConstantOfShape", input: ["million"], output: [`c${index}`] },
      })),
      { opType: "Max", input: Array.from({ length: 3000 }, (_, index) => `c${index}`), output: ["y"] },
    ],
    [integers("million", [2 ** 20])],
  ),
  "constants that are turned over and over": file(
    chain(10_000, "numbers", (input) => ({ opType: "Transpose", input: [input] })),
    [floats("numbers", [300, 300])],
  ),
  "a picture of many outer products": file(
    chain(4000, "column", () => ({ opType: "Add", input: ["column", "row"] })),
    [floats("column", [2000, 1]), floats("row", [1, 2000])],
  ),
  "operators that nobody knows": file(
    chain(25_000, "x", (input, index) => ({ opType: `Op${index}`, input: [input] })),
    [],
  ),
  "nodes that nobody knows, with long names": file(
    chain(800, "x", (input, index) => ({ opType: "Op", name: `${"long".repeat(250)}${index}`, input: [input] })),
    [],
  ),
  "a weight that many layers share": file(chain(5000, "x", conv), [floats("w", [400, 400, 1, 1])]),
  "layers of one weight": file(
    [{ opType: "Conv", input: ["x", "first"], output: ["c"] }, ...chain(5000, "c", conv)],
    [floats("first", [300, 1, 1, 1]), floats("w", [300, 300, 1, 1])],
  ),
  "a layer that is scaled again and again": file(
    [
      { opType: "Conv", input: ["x", "w"], output: ["c"] },
      ...chain(15_000, "c", (input) => ({ opType: "Mul", input: [input, "f"] })),
    ],
    [floats("w", [100_000, 1, 1, 1]), floats("f", [1])],
  ),
  "nodes of one name": file(
    chain(18_000, "x", (input) => ({
      opType: "MaxPool",
      name: "a",
      input: [input],
      attribute: [{ name: "kernel_shape", type: 7, ints: [1, 1] }],
    })),
    [],
  ),
  "names of one value": file(
    chain(35_000, "x", (input) => ({ opType: "Identity", input: [input] })),
    [],
  ),
  "a ReLU of ReLUs": file(
    chain(35_000, "x", (input) => ({ opType: "Relu", input: [input] })),
    [],
  ),
  "images that are flattened wide": file(
    [
      { opType: "Conv", input: ["x", "w"], output: ["c"] },
      ...chain(1000, "c", () => ({ opType: "Flatten", input: ["c"] })),
    ],
    [floats("w", [100_000, 1, 1, 1])],
  ),
  "a tensor of many axes": file(
    [{ opType: "Conv", input: ["x", "w"], output: ["y"] }],
    [{ name: "w", dims: new Array(400_000).fill(1), dataType: 1, rawData: new Uint8Array(4) }],
  ),
  "nodes without anything": file(new Array(400_000).fill({}), []),
};
