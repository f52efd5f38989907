import { integerType } from "../export/onnx/integer-types.ts";
import { joinRows, type RowGraph, rowsOfCodes } from "../export/onnx/join-rows.ts";
import { floatBytes, intBytes, packCodes } from "../export/onnx/packing.ts";
import { elementTypes } from "../onnx/element-types.ts";
import { contribDomain } from "../onnx/onnx-model.ts";
import { tensorOf } from "../onnx/tensor-data.ts";
import { storedBits } from "../quantization/levels.ts";
import type { WeightWidths } from "../quantization/weight-widths.ts";
import { type FileGraph, intAttribute } from "./file-graph.ts";
import { addPackedCodes, addShape } from "./packed-codes.ts";
import type { SiteType, WeightLayout } from "./weight-site.ts";

export interface StoredWeight {
  /** What the values in the file are named after. */
  readonly name: string;
  readonly layout: WeightLayout;
  /** In the tensor's order, symmetric about zero. */
  readonly codes: Int32Array;
  /** Of each index of the layout's axis; with blocks, of each block of each index. */
  readonly steps: Float32Array;
  /** With blocks one width: rows of several have a step each. */
  readonly bits: WeightWidths;
}

/** Codes of one width, and how they lie. */
interface PlainCodes {
  readonly name: string;
  readonly codes: Int32Array;
  readonly dims: readonly number[];
  readonly bits: 2 | 4 | 8;
}

/** What holds codes that integers are made of: int8, or uint8 with the zero point 128. */
export type CodeContainer = "int8" | "uint8";

const zeroPoints = { int8: 0, uint8: 128 } as const satisfies Record<CodeContainer, number>;

/**
 * Adds a weight as a float value: codes, cast and multiplied by their steps. onnxruntime computes that once, when it
 * loads the file. Gives the value's name.
 *
 * @param type Of the value: float32 or float16.
 */
export function addFloatWeight(graph: FileGraph, weight: StoredWeight, type: SiteType): string {
  const { layout, steps } = weight;
  const { dims, shape, scales } = scalesOf(layout, steps);
  const codes = addCodes(graph, weight, dims, (part) => addFloatCodes(graph, part));
  const name = (what: string) => graph.freeName(`${weight.name}.${what}`);
  const scale = graph.setInitializer(tensorOf(name("step"), elementTypes.float, shape, floatBytes(scales)));
  const product = graph.addFirst("Mul", [codes, scale], { output: name("float") });
  const floats =
    dims.length === layout.dims.length
      ? product
      : graph.addFirst("Reshape", [product, addShape(graph, name("shape"), layout.dims)], { output: name("whole") });
  if (type === elementTypes.float) return floats;
  return graph.addFirst("Cast", [floats], { output: name("half"), attributes: [intAttribute("to", type)] });
}

/**
 * The shape in which codes are multiplied by steps: with blocks, the axis of the inputs is cut into them.
 *
 * @returns The sizes of codes and steps, and the steps in that order.
 */
function scalesOf({ dims, axis }: WeightLayout, steps: Float32Array) {
  const [channels = 1, inputs = 1] = [dims[axis], dims[1 - axis]];
  const blocks = steps.length / channels;
  if (blocks > 1) {
    const block = inputs / blocks;
    if (axis === 0) return { dims: [channels, blocks, block], shape: [channels, blocks, 1], scales: steps };
    const scales = steps.map((_, index) => steps[(index % channels) * blocks + Math.floor(index / channels)] ?? 1);
    return { dims: [blocks, block, channels], shape: [blocks, 1, channels], scales };
  }
  const isOne = steps.every((step) => step === steps[0]);
  const shape = dims.map((size, own) => (own === axis && !isOne ? size : 1));
  return { dims, shape, scales: isOne ? steps.subarray(0, 1) : steps };
}

/** A weight as integer kernels read it. */
export interface IntegerWeight extends StoredWeight {
  readonly container: CodeContainer;
}

/** Adds a weight behind DequantizeLinear, for kernels of 8-bit integers. Gives the name of its float value. */
export function addIntegerWeight(graph: FileGraph, weight: IntegerWeight, domain: string): string {
  const { layout, steps, container } = weight;
  const name = (what: string) => graph.freeName(`${weight.name}.${what}`);
  const stored = addStoredCodes(graph, weight, container);
  const channels = steps.length;
  const scale = graph.setInitializer(tensorOf(name("step"), elementTypes.float, [channels], floatBytes(steps)));
  const zeros = graph.setInitializer(
    tensorOf(name("zero"), elementTypes[container], [channels], new Uint8Array(channels).fill(zeroPoints[container])),
  );
  return graph.addFirst("DequantizeLinear", [stored, scale, zeros], {
    output: name("float"),
    domain,
    attributes: [intAttribute("axis", layout.axis)],
  });
}

/** Adds codes as integers of 8 bits; gives their name. */
export const addStoredCodes = (graph: FileGraph, weight: StoredWeight, container: CodeContainer = "int8"): string =>
  addCodes(graph, weight, weight.layout.dims, (part) => {
    const { name, codes, dims, bits } = part;
    const zero = zeroPoints[container];
    const free = graph.freeName(`${name}.codes`);
    const type = elementTypes[container];
    if (bits === 8) {
      const moved = zero === 0 ? codes : codes.map((code) => code + zero);
      return graph.setInitializer(tensorOf(free, type, dims, packCodes(moved, 8)));
    }
    const attributes = [intAttribute("to", type)];
    return graph.addFirst("Cast", [addFloatCodes(graph, part, zero)], { output: free, attributes });
  });

/**
 * Adds codes as one tensor: all at once, or where output channels have widths of their own the rows of each width, joined.
 *
 * @param dims Those of the tensor; the layout's, or with blocks others.
 */
function addCodes(
  graph: FileGraph,
  { name, layout: { axis }, codes, bits }: StoredWeight,
  dims: readonly number[],
  add: (codes: PlainCodes) => string,
): string {
  if (typeof bits === "number") return add({ name, codes, dims, bits: storedBits(bits) });
  return joinRows(rowGraph(graph), { name, axis, channelBits: bits }, (group) => {
    if (group.bits === 0 || group.bits === 16) throw new Error(`${name}: no row has ${group.bits} bits`);
    const { codes: own, shape } = rowsOfCodes({ codes, shape: dims, axis }, group.rows);
    return add({ name: `${name}.int${group.bits}`, codes: own, dims: shape, bits: group.bits });
  });
}

const rowGraph = (graph: FileGraph): RowGraph => ({
  node: (opType, inputs, { name, attributes }) =>
    graph.addFirst(opType, inputs, {
      output: graph.freeName(name),
      attributes: Object.entries(attributes).map(([key, value]) => intAttribute(key, value)),
    }),
  integers: (name, values, shape, { bits, signed }) =>
    graph.setInitializer(tensorOf(graph.freeName(name), integerType(bits, signed), shape, packCodes(values, bits))),
  int32s: (name, values, shape) =>
    graph.setInitializer(tensorOf(graph.freeName(name), elementTypes.int32, shape, intBytes(values))),
});

/** Adds an int32 bias behind DequantizeLinear. */
export function addIntegerBias(
  graph: FileGraph,
  { name, codes, steps, domain }: { name: string; codes: Int32Array; steps: Float32Array; domain: string },
): string {
  const free = (what: string) => graph.freeName(`${name}.${what}`);
  const values = graph.setInitializer(tensorOf(free("codes"), elementTypes.int32, [codes.length], intBytes(codes)));
  const scale = graph.setInitializer(tensorOf(free("step"), elementTypes.float, [steps.length], floatBytes(steps)));
  const zeros = graph.setInitializer(
    tensorOf(free("zero"), elementTypes.int32, [codes.length], intBytes(codes.map(() => 0))),
  );
  return graph.addFirst("DequantizeLinear", [values, scale, zeros], {
    output: free("float"),
    domain,
    attributes: [intAttribute("axis", 0)],
  });
}

/**
 * Adds codes as float values.
 *
 * @param zero What is added to codes of less than 8 bits.
 */
function addFloatCodes(graph: FileGraph, weight: PlainCodes, zero = 0): string {
  const { codes, dims, bits } = weight;
  const name = (what: string) => graph.freeName(`${weight.name}.${what}`);
  if (bits === 8) {
    const stored = graph.setInitializer(tensorOf(name("codes"), elementTypes.int8, dims, packCodes(codes, 8)));
    const attributes = [intAttribute("to", elementTypes.float)];
    return graph.addFirst("Cast", [stored], { output: name("cast"), attributes });
  }
  const offset = 2 ** (bits - 1);
  const raised = codes.map((code) => code + offset);
  const unsigned = addPackedCodes(graph, { name: weight.name, codes: raised, dims, bits });
  const moved = tensorOf(name("offset"), elementTypes.float, [], floatBytes([offset - zero]));
  return graph.addFirst("Sub", [unsigned, graph.setInitializer(moved)], { output: name("centred") });
}

/** The domain whose QuantizeLinear and DequantizeLinear take an axis in this operator set. */
export const quantizerDomain = (opset: number): string => (opset >= 13 ? "" : contribDomain);
