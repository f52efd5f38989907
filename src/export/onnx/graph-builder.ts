import onnxProto from "onnx-proto";
import type { IntegerBits } from "../frozen-network.ts";
import { type ElementType, elementTypes, integerType, operatorSet } from "./element-types.ts";
import { floatBytes, packCodes } from "./packing.ts";

const { onnx } = onnxProto;
type NodeProto = onnxProto.onnx.INodeProto;
type TensorProto = onnxProto.onnx.ITensorProto;
type ValueInfo = onnxProto.onnx.IValueInfoProto;

/** An integer or a list of integers: all that the operators used here need. */
export type Attribute = number | readonly number[];

export interface ValueDescription {
  readonly name: string;
  /** A name is a free dimension. */
  readonly shape: readonly (number | string)[];
}

/** Collects nodes and initializers of an ONNX graph in order; the same calls give the same bytes. */
export class GraphBuilder {
  readonly #nodes: NodeProto[] = [];
  readonly #initializers: TensorProto[] = [];
  readonly #types = new Set<ElementType>();

  /** Adds a node named `name` and gives the name of its output. */
  node(
    opType: string,
    inputs: readonly string[],
    { name, output = name, attributes = {} }: NodeOptions & { readonly name: string },
  ): string {
    this.#nodes.push({
      opType,
      name,
      input: [...inputs],
      output: [output],
      attribute: Object.entries(attributes).map(([key, value]) =>
        typeof value === "number"
          ? { name: key, type: onnx.AttributeProto.AttributeType.INT, i: value }
          : { name: key, type: onnx.AttributeProto.AttributeType.INTS, ints: [...value] },
      ),
    });
    return output;
  }

  /** Adds a float32 initializer and gives its name; the shape [] is a scalar. */
  floats(name: string, values: ArrayLike<number>, shape: readonly number[]): string {
    return this.#initializer(name, elementTypes.float, floatBytes(values), shape);
  }

  /** Adds an integer initializer, packed, and gives its name. */
  integers(name: string, codes: ArrayLike<number>, shape: readonly number[], grid: IntegerGrid): string {
    return this.#initializer(name, integerType(grid.bits, grid.signed), packCodes(codes, grid.bits), shape);
  }

  /** The file's bytes, with the lowest operator set that has the element types used. */
  encode({ name, doc, inputs, outputs, metadata }: ModelDescription): Uint8Array {
    const { opset, irVersion } = operatorSet(this.#types);
    const keys = Object.keys(metadata).sort();
    return onnx.ModelProto.encode({
      irVersion,
      opsetImport: [{ domain: "", version: opset }],
      producerName: "bayesian-bits",
      docString: doc,
      metadataProps: keys.map((key) => ({ key, value: metadata[key]! })),
      graph: {
        name,
        node: this.#nodes,
        initializer: this.#initializers,
        input: inputs.map(floatValue),
        output: outputs.map(floatValue),
      },
    }).finish();
  }

  #initializer(name: string, type: ElementType, rawData: Uint8Array, shape: readonly number[]): string {
    this.#types.add(type);
    this.#initializers.push({ name, dataType: type, dims: [...shape], rawData });
    return name;
  }
}

export interface NodeOptions {
  /** Name of the value it makes; the node's own name if left out. */
  readonly output?: string | undefined;
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

const floatValue = ({ name, shape }: ValueDescription): ValueInfo => ({
  name,
  type: {
    tensorType: {
      elemType: elementTypes.float,
      shape: { dim: shape.map((size) => (typeof size === "string" ? { dimParam: size } : { dimValue: size })) },
    },
  },
});
