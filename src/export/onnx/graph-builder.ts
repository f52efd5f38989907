import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { floatToHalf } from "../../core/half-precision.ts";
import { type ElementType, elementTypes } from "../../onnx/element-types.ts";
import {
  AttributeProto_AttributeType,
  type AttributeProtoSchema,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from "../../onnx/generated/onnx_pb.ts";
import type { IntegerBits } from "../frozen-network.ts";
import { integerType, operatorSet } from "./integer-types.ts";
import { floatBytes, intBytes, packCodes } from "./packing.ts";

type NodeProto = MessageInitShape<typeof NodeProtoSchema>;
type TensorProto = MessageInitShape<typeof TensorProtoSchema>;
type ValueInfo = MessageInitShape<typeof ValueInfoProtoSchema>;
type AttributeProto = MessageInitShape<typeof AttributeProtoSchema>;

/** An integer, a list of integers, a text or a float: all that the operators used here need. */
export type Attribute = number | readonly number[] | string | { readonly float: number };

export interface ValueDescription {
  readonly name: string;
  /** A name is a free dimension. */
  readonly shape: readonly (number | string)[];
  /** Float32 if left out. */
  readonly type?: ElementType | undefined;
}

/** Collects nodes and initializers of an ONNX graph in order; the same calls give the same bytes. */
export class GraphBuilder {
  readonly #nodes: NodeProto[] = [];
  readonly #initializers: TensorProto[] = [];
  readonly #types = new Set<ElementType>();
  readonly #domains = new Set<string>();

  /** Adds a node named `name` and gives the name of its output. */
  node(
    opType: string,
    inputs: readonly string[],
    { name, output = name, domain = "", attributes = {} }: NodeOptions & { readonly name: string },
  ): string {
    if (domain !== "") this.#domains.add(domain);
    this.#nodes.push({
      opType,
      name,
      domain,
      input: [...inputs],
      output: [output],
      attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
    });
    return output;
  }

  /** Adds a float32 initializer and gives its name; the shape [] is a scalar. */
  floats(name: string, values: ArrayLike<number>, shape: readonly number[]): string {
    return this.#initializer(name, elementTypes.float, floatBytes(values), shape);
  }

  /** Adds a float16 initializer, of values that are float16 numbers, and gives its name. */
  halves(name: string, values: ArrayLike<number>, shape: readonly number[]): string {
    return this.#initializer(name, elementTypes.float16, packCodes(Array.from(values, floatToHalf), 16), shape);
  }

  /** Adds an integer initializer, packed, and gives its name. */
  integers(name: string, codes: ArrayLike<number>, shape: readonly number[], grid: IntegerGrid): string {
    return this.#initializer(name, integerType(grid.bits, grid.signed), packCodes(codes, grid.bits), shape);
  }

  /** Adds an int64 initializer and gives its name: shapes and sizes. */
  int64s(name: string, values: readonly number[]): string {
    const bytes = new Uint8Array(new BigInt64Array(values.map(BigInt)).buffer);
    return this.#initializer(name, elementTypes.int64, bytes, [values.length]);
  }

  /** Adds an int32 initializer and gives its name: biases and accumulators. */
  int32s(name: string, values: Int32Array, shape: readonly number[]): string {
    return this.#initializer(name, elementTypes.int32, intBytes(values), shape);
  }

  /** The file's bytes, with the lowest operator set that has the element types used. */
  encode({ name, doc, inputs, outputs, metadata }: ModelDescription): Uint8Array {
    const { opset, irVersion } = operatorSet(this.#types, this.#nodes);
    const domains = [...this.#domains].sort().map((domain) => ({ domain, version: 1n }));
    const keys = Object.keys(metadata).sort();
    const model = create(ModelProtoSchema, {
      irVersion: BigInt(irVersion),
      opsetImport: [{ domain: "", version: BigInt(opset) }, ...domains],
      producerName: "bayesian-bits",
      docString: doc,
      metadataProps: keys.map((key) => ({ key, value: metadata[key]! })),
      graph: {
        name,
        node: this.#nodes,
        initializer: this.#initializers,
        input: inputs.map(valueInfo),
        output: outputs.map(valueInfo),
      },
    });
    return toBinary(ModelProtoSchema, model);
  }

  #initializer(name: string, type: ElementType, rawData: Uint8Array, shape: readonly number[]): string {
    this.#types.add(type);
    this.#initializers.push({ name, dataType: type, dims: shape.map(BigInt), rawData });
    return name;
  }
}

export interface NodeOptions {
  /** Name of the value it makes; the node's own name if left out. */
  readonly output?: string | undefined;
  /** Of the operator; the empty string, ONNX's own, if left out. */
  readonly domain?: string | undefined;
  readonly attributes?: Readonly<Record<string, Attribute>> | undefined;
}

export interface IntegerGrid {
  readonly bits: IntegerBits;
  readonly signed: boolean;
}

export interface ModelDescription {
  readonly name: string;
  readonly doc: string;
  readonly inputs: readonly ValueDescription[];
  readonly outputs: readonly ValueDescription[];
  readonly metadata: Readonly<Record<string, string>>;
}

function attribute(name: string, value: Attribute): AttributeProto {
  if (typeof value === "number") return { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) };
  if (typeof value === "string")
    return { name, type: AttributeProto_AttributeType.STRING, s: new TextEncoder().encode(value) };
  if ("float" in value) return { name, type: AttributeProto_AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeProto_AttributeType.INTS, ints: value.map(BigInt) };
}

const valueInfo = ({ name, shape, type = elementTypes.float }: ValueDescription): ValueInfo => ({
  name,
  type: {
    value: {
      case: "tensorType",
      value: {
        elemType: type,
        shape: {
          dim: shape.map((size) => ({
            value:
              typeof size === "string" ? { case: "dimParam", value: size } : { case: "dimValue", value: BigInt(size) },
          })),
        },
      },
    },
  },
});
