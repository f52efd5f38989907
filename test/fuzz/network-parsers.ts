import { readModel } from "../../src/export/onnx/read-model.ts";
import { bytesOf, importBytes, type NetworkFileName, networkFiles } from "../fixtures/onnx/files.ts";
import { encodePlain } from "../fixtures/onnx/plain-model.ts";
import { bombs } from "./bombs.ts";
import type { FuzzedParser } from "./fuzzed-parser.ts";

/** Of one image size each: a file for other images is refused early. */
const network = (...names: readonly NetworkFileName[]): FuzzedParser => ({
  seeds: names.map(bytesOf),
  parse: (bytes) => importBytes(bytes, networkFiles[names[0]!]),
});

/** Doors for networks in ONNX files. */
export const networkParsers: Readonly<Record<string, FuzzedParser>> = {
  onnx: {
    seeds: [
      encodePlain({
        opset: 13,
        name: "g",
        nodes: [{ opType: "Relu", input: ["x"], output: ["y"], attribute: [{ name: "axis", i: 1, type: 2 }] }],
        tensors: [{ name: "w", dims: [2], dataType: 1, rawData: new Uint8Array(8) }],
        inputs: [{ name: "x" }],
        outputs: [{ name: "y" }],
      }),
    ],
    parse: (bytes) => readModel(bytes, "it"),
  },
  "network-bombs": {
    ...network("handwritten-odd"),
    seeds: [],
    bombs: Object.fromEntries(Object.entries(bombs).map(([name, bytes]) => [name, () => bytes])),
  },
  "network-onnx-gray": network("handwritten-odd", "pytorch-cnn-dynamo", "keras-cnn"),
  "network-onnx-colour": network("handwritten-channels-last", "pytorch-mobilenet-legacy", "keras-mobilenet"),
};
