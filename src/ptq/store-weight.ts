import { floatBytes, intBytes, packCodes } from "../export/onnx/packing.ts";
import { elementsOf } from "../graph/shape.ts";
import { elementTypes } from "../onnx/element-types.ts";
import { contribDomain } from "../onnx/onnx-model.ts";
import { tensorOf } from "../onnx/tensor-data.ts";
import { storedBits } from "../quantization/levels.ts";
import type { WeightBits } from "../quantization/weight-grid.ts";
import { type FileGraph, intAttribute } from "./file-graph.ts";
import type { SiteType, WeightLayout } from "./weight-site.ts";

export interface StoredWeight {
  /** What the values in the file are named after. */
  readonly name: string;
  readonly layout: WeightLayout;
  /** In the tensor's order, symmetric about zero. */
  readonly codes: Int32Array;
  /** Of each index of the layout's axis. */
  readonly steps: Float32Array;
  readonly bits: WeightBits;
}

/**
 * Adds a weight as a float value: codes, cast and multiplied by their steps. onnxruntime computes that once, when it
 * loads the file. Gives the value's name.
 *
 * @param type Of the value: float32 or float16.
 */
export function addFloatWeight(graph: FileGraph, weight: StoredWeight, type: SiteType): string {
  const { layout, steps } = weight;
  const codes = addFloatCodes(graph, weight);
  const name = (what: string) => graph.freeName(`${weight.name}.${what}`);
  const shape = layout.dims.map((size, axis) => (axis === layout.axis ? size : 1));
  const scale = graph.setInitializer(tensorOf(name("step"), elementTypes.float, shape, floatBytes(steps)));
  const floats = graph.addFirst("Mul", [codes, scale], { output: name("float") });
  if (type === elementTypes.float) return floats;
  return graph.addFirst("Cast", [floats], { output: name("half"), attributes: [intAttribute("to", type)] });
}

/** A weight as integer kernels read it. */
export interface IntegerWeight extends StoredWeight {
  /** What holds the codes: int8, or uint8 with the zero point 128. */
  readonly container: "int8" | "uint8";
}

/** Adds a weight behind DequantizeLinear, for kernels of 8-bit integers. Gives the name of its float value. */
export function addIntegerWeight(graph: FileGraph, weight: IntegerWeight, domain: string): string {
  const { layout, steps, codes, bits, container } = weight;
  const name = (what: string) => graph.freeName(`${weight.name}.${what}`);
  const type = elementTypes[container];
  const zero = container === "uint8" ? 128 : 0;
  const stored =
    storedBits(bits) === 8
      ? graph.setInitializer(
          tensorOf(
            name("codes"),
            type,
            layout.dims,
            packCodes(
              codes.map((code) => code + zero),
              8,
            ),
          ),
        )
      : graph.addFirst("Cast", [addFloatCodes(graph, weight, zero)], {
          output: name("codes"),
          attributes: [intAttribute("to", type)],
        });
  const channels = steps.length;
  const scale = graph.setInitializer(tensorOf(name("step"), elementTypes.float, [channels], floatBytes(steps)));
  const zeros = graph.setInitializer(tensorOf(name("zero"), type, [channels], new Uint8Array(channels).fill(zero)));
  return graph.addFirst("DequantizeLinear", [stored, scale, zeros], {
    output: name("float"),
    domain,
    attributes: [intAttribute("axis", layout.axis)],
  });
}

/** Adds codes as integers of 8 bits; gives their name. */
export function addStoredCodes(graph: FileGraph, weight: StoredWeight): string {
  const name = graph.freeName(`${weight.name}.codes`);
  if (storedBits(weight.bits) === 8) {
    return graph.setInitializer(tensorOf(name, elementTypes.int8, weight.layout.dims, packCodes(weight.codes, 8)));
  }
  const attributes = [intAttribute("to", elementTypes.int8)];
  return graph.addFirst("Cast", [addFloatCodes(graph, weight)], { output: name, attributes });
}

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
 * Adds codes as float values of the layout's shape. Those of less than 8 bits lie in the parts of bytes, the first
 * stretch of codes in the lowest bits of all bytes; operators that every operator set has take the bytes apart, so that
 * the file needs no newer one and no type of less than 8 bits.
 *
 * @param zero What is added to codes of less than 8 bits.
 */
function addFloatCodes(graph: FileGraph, weight: StoredWeight, zero = 0): string {
  const { layout, codes } = weight;
  const bits = storedBits(weight.bits);
  const name = (what: string) => graph.freeName(`${weight.name}.${what}`);
  const cast = (value: string, what: string) =>
    graph.addFirst("Cast", [value], { output: name(what), attributes: [intAttribute("to", elementTypes.float)] });
  if (bits === 8) {
    const stored = graph.setInitializer(tensorOf(name("codes"), elementTypes.int8, layout.dims, packCodes(codes, 8)));
    return cast(stored, "cast");
  }
  const scalar = (value: number) =>
    graph.setInitializer(tensorOf(name("number"), elementTypes.float, [], floatBytes([value])));
  const op = (opType: string, inputs: readonly string[], what: string) =>
    graph.addFirst(opType, inputs, { output: name(what) });
  const elements = elementsOf(layout.dims);
  const perByte = 8 / bits;
  const bytes = Math.floor(elements / perByte);
  const offset = 2 ** (bits - 1);
  const packed = Uint8Array.from({ length: bytes }, (_, index) => {
    let byte = 0;
    for (let part = 0; part < perByte; part++) byte |= ((codes[part * bytes + index] ?? 0) + offset) << (part * bits);
    return byte;
  });
  const rest = Int32Array.from(codes.subarray(perByte * bytes), (code) => code + offset);
  const parts: string[] = [];
  if (bytes > 0) {
    let remaining = cast(graph.setInitializer(tensorOf(name("packed"), elementTypes.uint8, [bytes], packed)), "bytes");
    const base = scalar(2 ** bits);
    for (let part = 0; part < perByte - 1; part++) {
      const higher = op("Floor", [op("Div", [remaining, base], "quotient")], "higher");
      parts.push(op("Sub", [remaining, op("Mul", [higher, base], "above")], "part"));
      remaining = higher;
    }
    parts.push(remaining);
  }
  if (rest.length > 0) {
    const tail = tensorOf(name("rest"), elementTypes.uint8, [rest.length], packCodes(rest, 8));
    parts.push(cast(graph.setInitializer(tail), "tail"));
  }
  const attributes = [intAttribute("axis", 0)];
  const joined = graph.addFirst("Concat", parts, { output: name("joined"), attributes });
  const centred = op("Sub", [joined, scalar(offset - zero)], "centred");
  const shape = tensorOf(
    name("shape"),
    elementTypes.int64,
    [layout.dims.length],
    new Uint8Array(BigInt64Array.from(layout.dims, BigInt).buffer),
  );
  return op("Reshape", [centred, graph.setInitializer(shape)], "reshaped");
}

/** The domain whose QuantizeLinear and DequantizeLinear take an axis in this operator set. */
export const quantizerDomain = (opset: number): string => (opset >= 13 ? "" : contribDomain);
