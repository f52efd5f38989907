import { Builder, type Offset } from "flatbuffers";
import { lookup } from "../../core/lookup.ts";
import { floatBytes, intBytes } from "../onnx/packing.ts";
import * as schema from "./generated/tflite_generated.ts";
import { type OperatorKind, type OperatorName, type OperatorOptions, operatorKinds } from "./tflite-options.ts";

export const { TensorType } = schema;
export type TensorType = schema.TensorType;

/** Version of the file format, not of the operators. */
const FORMAT_VERSION = 3;
/** Bytes that the data of a tensor begin at a multiple of: what the widest loads want. */
export const ALIGNMENT = 16;

/** value = scale · (code - zeroPoint). */
export interface TensorGrid {
  /** One for the tensor, or one for each index of `axis`. */
  readonly scale: number | Float32Array;
  readonly zeroPoint: number;
  readonly axis?: number;
}

interface TensorOptions {
  /** Of a value: with a batch of 1 in front, which a program may widen. */
  readonly shape: readonly number[];
  /** Float32 if left out. */
  readonly type?: TensorType;
  readonly grid?: TensorGrid | undefined;
}

interface TensorDescription extends TensorOptions {
  readonly name: string;
  /** Whether the first axis is the batch. */
  readonly batched: boolean;
  /** Null: the value of an operator, or the input. */
  readonly data: Uint8Array | null;
}

interface OperatorDescription {
  readonly kind: OperatorName;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly options: OperatorOptions | null;
}

export interface TfliteDescription {
  readonly name: string;
  readonly doc: string;
  readonly input: string;
  readonly output: string;
  /** Values that are given beside the output. */
  readonly shown: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Collects tensors and operators of a TensorFlow Lite file in order; the same calls give the same bytes. */
export class TfliteBuilder {
  readonly #tensors = new Map<string, TensorDescription>();
  readonly #operators: OperatorDescription[] = [];

  /** Adds a value, [batch, …], and gives its name. */
  value(name: string, options: TensorOptions): string {
    return this.#tensor({ ...options, shape: [1, ...options.shape], name, batched: true, data: null });
  }

  /** Adds a value that is the same for every image, and gives its name. */
  fixedValue(name: string, options: TensorOptions): string {
    return this.#tensor({ ...options, name, batched: false, data: null });
  }

  /** Adds a tensor of given bytes and gives its name. */
  constant(name: string, data: Uint8Array, options: TensorOptions): string {
    return this.#tensor({ ...options, name, batched: false, data });
  }

  /** Adds a float32 tensor and gives its name; the shape [] is a number. */
  floats(name: string, values: ArrayLike<number>, shape: readonly number[]): string {
    return this.constant(name, floatBytes(values), { shape });
  }

  /** Adds an int32 tensor and gives its name. */
  int32s(name: string, values: readonly number[], shape: readonly number[] = [values.length]): string {
    return this.constant(name, intBytes(Int32Array.from(values)), { shape, type: TensorType.INT32 });
  }

  /** Adds an operator and gives the name of its value. */
  operator(
    kind: OperatorName,
    inputs: readonly string[],
    output: string,
    options: OperatorOptions | null = null,
  ): string {
    this.#operators.push({ kind, inputs, output, options });
    return output;
  }

  #tensor(tensor: TensorDescription): string {
    if (this.#tensors.has(tensor.name)) throw new Error(`two tensors are named "${tensor.name}"`);
    this.#tensors.set(tensor.name, tensor);
    return tensor.name;
  }

  /** The kinds of operators, each once, in the order of their first use. */
  get operatorKinds(): readonly OperatorName[] {
    return [...new Set(this.#operators.map(({ kind }) => kind))];
  }

  #versionOf(kind: OperatorName): number {
    const { version, versionOfInt4 = version }: OperatorKind = operatorKinds[kind];
    const isInt4 = (name: string) => lookup(this.#tensors, name).type === TensorType.INT4;
    const readsInt4 = this.#operators.some((one) => one.kind === kind && one.inputs.some(isInt4));
    return readsInt4 ? versionOfInt4 : version;
  }

  /** The bytes of the file. */
  encode({ name, doc, input, output, shown, metadata }: TfliteDescription): Uint8Array {
    const builder = new Builder(1024);
    const tensors = [...this.#tensors.values()];
    const indices = new Map(tensors.map(({ name }, index) => [name, index]));
    const indicesOf = (names: readonly string[]) => names.map((one) => lookup(indices, one));
    const kinds = this.operatorKinds;
    const outputs = [output, ...shown.filter((one) => one !== output)];
    // The buffer 0 is empty: values have it.
    const buffers: Uint8Array[] = [new Uint8Array()];
    const bufferOf = (data: Uint8Array) => buffers.push(data) - 1;

    const tensorOffsets = tensors.map((tensor) =>
      writeTensor(builder, tensor, tensor.data === null ? 0 : bufferOf(tensor.data)),
    );
    const operators = this.#operators.map(({ kind, inputs, output, options }) => {
      const optionsOffset = options?.write(builder) ?? 0;
      return schema.Operator.createOperator(
        builder,
        kinds.indexOf(kind),
        schema.Operator.createInputsVector(builder, indicesOf(inputs)),
        schema.Operator.createOutputsVector(builder, indicesOf([output])),
        options?.type ?? schema.BuiltinOptions.NONE,
        optionsOffset,
      );
    });
    const graph = schema.SubGraph.createSubGraph(
      builder,
      schema.SubGraph.createTensorsVector(builder, tensorOffsets),
      schema.SubGraph.createInputsVector(builder, indicesOf([input])),
      schema.SubGraph.createOutputsVector(builder, indicesOf(outputs)),
      schema.SubGraph.createOperatorsVector(builder, operators),
      builder.createString(name),
    );
    const codes = kinds.map((kind) => {
      const { code } = operatorKinds[kind];
      const version = this.#versionOf(kind);
      // Older readers know operators up to 127 by a byte of its own.
      return schema.OperatorCode.createOperatorCode(builder, Math.min(code, 127), version, code);
    });
    const entries = Object.entries(metadata).map(([key, value]) =>
      schema.Metadata.createMetadata(builder, builder.createString(key), bufferOf(new TextEncoder().encode(value))),
    );
    const mapOf = (tensor: string) =>
      schema.TensorMap.createTensorMap(builder, builder.createString(tensor), lookup(indices, tensor));
    const signature = schema.SignatureDef.createSignatureDef(
      builder,
      schema.SignatureDef.createInputsVector(builder, [mapOf(input)]),
      schema.SignatureDef.createOutputsVector(builder, outputs.map(mapOf)),
      builder.createString("serving_default"),
      0,
    );
    const model = schema.Model.createModel(
      builder,
      FORMAT_VERSION,
      schema.Model.createOperatorCodesVector(builder, codes),
      schema.Model.createSubgraphsVector(builder, [graph]),
      builder.createString(doc),
      schema.Model.createBuffersVector(
        builder,
        buffers.map((data) => writeBuffer(builder, data)),
      ),
      schema.Model.createMetadataVector(builder, entries),
      schema.Model.createSignatureDefsVector(builder, [signature]),
    );
    schema.Model.finishModelBuffer(builder, model);
    return builder.asUint8Array().slice();
  }
}

function writeTensor(
  builder: Builder,
  { name, shape, type, grid, batched }: TensorDescription,
  buffer: number,
): Offset {
  const quantization = grid === undefined ? 0 : writeGrid(builder, grid);
  const nameOffset = builder.createString(name);
  const shapeOffset = schema.Tensor.createShapeVector(builder, [...shape]);
  // -1: any size.
  const signature = batched ? schema.Tensor.createShapeSignatureVector(builder, [-1, ...shape.slice(1)]) : null;
  schema.Tensor.startTensor(builder);
  schema.Tensor.addShape(builder, shapeOffset);
  schema.Tensor.addType(builder, type ?? TensorType.FLOAT32);
  schema.Tensor.addBuffer(builder, buffer);
  schema.Tensor.addName(builder, nameOffset);
  if (grid !== undefined) schema.Tensor.addQuantization(builder, quantization);
  if (signature !== null) schema.Tensor.addShapeSignature(builder, signature);
  return schema.Tensor.endTensor(builder);
}

function writeGrid(builder: Builder, { scale, zeroPoint, axis = 0 }: TensorGrid): Offset {
  const scales = typeof scale === "number" ? [scale] : [...scale];
  return schema.QuantizationParameters.createQuantizationParameters(
    builder,
    schema.QuantizationParameters.createScaleVector(builder, scales),
    schema.QuantizationParameters.createZeroPointVector(
      builder,
      scales.map(() => BigInt(zeroPoint)),
    ),
    axis,
  );
}

/** The generated code aligns bytes to bytes; kernels read them in wider pieces. */
function writeBuffer(builder: Builder, data: Uint8Array): Offset {
  if (data.length === 0) return schema.Buffer.createBuffer(builder, 0);
  builder.prep(ALIGNMENT, data.length);
  return schema.Buffer.createBuffer(builder, builder.createByteVector(data));
}
