import type { Builder, Offset } from "flatbuffers";
import type { Pair } from "../../core/pair.ts";
import * as schema from "./generated/tflite_generated.ts";

const { ActivationFunctionType, BuiltinOperator, BuiltinOptions } = schema;

/** What an operator does beside what it reads. */
export interface OperatorOptions {
  readonly type: schema.BuiltinOptions;
  readonly write: (builder: Builder) => Offset;
}

export interface OperatorKind {
  readonly code: schema.BuiltinOperator;
  /** The lowest version of the operator that takes all types that we give it. */
  readonly version: number;
  /** That which takes weights of 4 bits. */
  readonly versionOfInt4?: number;
}

/** The operators that files of ours can have: what a microcontroller's program has to register. */
export const operatorKinds = {
  Abs: { code: BuiltinOperator.ABS, version: 1 },
  Add: { code: BuiltinOperator.ADD, version: 2 },
  AveragePool2D: { code: BuiltinOperator.AVERAGE_POOL_2D, version: 1 },
  Cast: { code: BuiltinOperator.CAST, version: 1 },
  Concatenation: { code: BuiltinOperator.CONCATENATION, version: 2 },
  Conv2D: { code: BuiltinOperator.CONV_2D, version: 3 },
  DepthwiseConv2D: { code: BuiltinOperator.DEPTHWISE_CONV_2D, version: 3 },
  Dequantize: { code: BuiltinOperator.DEQUANTIZE, version: 5 },
  Div: { code: BuiltinOperator.DIV, version: 1 },
  Elu: { code: BuiltinOperator.ELU, version: 1 },
  Exp: { code: BuiltinOperator.EXP, version: 1 },
  FullyConnected: { code: BuiltinOperator.FULLY_CONNECTED, version: 5, versionOfInt4: 10 },
  Gather: { code: BuiltinOperator.GATHER, version: 2 },
  Gelu: { code: BuiltinOperator.GELU, version: 1 },
  HardSwish: { code: BuiltinOperator.HARD_SWISH, version: 1 },
  LeakyRelu: { code: BuiltinOperator.LEAKY_RELU, version: 1 },
  Log: { code: BuiltinOperator.LOG, version: 1 },
  Logistic: { code: BuiltinOperator.LOGISTIC, version: 1 },
  MaxPool2D: { code: BuiltinOperator.MAX_POOL_2D, version: 2 },
  Maximum: { code: BuiltinOperator.MAXIMUM, version: 2 },
  Mean: { code: BuiltinOperator.MEAN, version: 1 },
  Minimum: { code: BuiltinOperator.MINIMUM, version: 2 },
  Mul: { code: BuiltinOperator.MUL, version: 1 },
  Neg: { code: BuiltinOperator.NEG, version: 1 },
  Pad: { code: BuiltinOperator.PAD, version: 2 },
  PadV2: { code: BuiltinOperator.PADV2, version: 2 },
  Quantize: { code: BuiltinOperator.QUANTIZE, version: 1 },
  Relu: { code: BuiltinOperator.RELU, version: 1 },
  Reshape: { code: BuiltinOperator.RESHAPE, version: 1 },
  Round: { code: BuiltinOperator.ROUND, version: 1 },
  Sqrt: { code: BuiltinOperator.SQRT, version: 1 },
  Sub: { code: BuiltinOperator.SUB, version: 1 },
  Tanh: { code: BuiltinOperator.TANH, version: 1 },
} as const satisfies Readonly<Record<string, OperatorKind>>;

export type OperatorName = keyof typeof operatorKinds;

interface Windows {
  readonly strides: Pair;
  readonly same: boolean;
}

interface Dilated extends Windows {
  readonly dilations: Pair;
}

interface Activated {
  /** Whether values below zero become zero. */
  readonly relu: boolean;
}

const activation = ({ relu }: Activated) => (relu ? ActivationFunctionType.RELU : ActivationFunctionType.NONE);
const widthFirst = ([rows, columns]: Pair): [number, number] => [columns, rows];
const paddingOf = ({ same }: Windows) => (same ? schema.Padding.SAME : schema.Padding.VALID);

/** Makes the options of each operator that has any. */
export const optionsOf = {
  conv2d: (one: Dilated & Activated): OperatorOptions => ({
    type: BuiltinOptions.Conv2DOptions,
    write: (builder) =>
      schema.Conv2DOptions.createConv2DOptions(
        builder,
        paddingOf(one),
        ...widthFirst(one.strides),
        activation(one),
        ...widthFirst(one.dilations),
      ),
  }),
  depthwise: (one: Dilated & Activated): OperatorOptions => ({
    type: BuiltinOptions.DepthwiseConv2DOptions,
    write: (builder) =>
      schema.DepthwiseConv2DOptions.createDepthwiseConv2DOptions(
        builder,
        paddingOf(one),
        ...widthFirst(one.strides),
        1,
        activation(one),
        ...widthFirst(one.dilations),
      ),
  }),
  pool: (one: Windows & { readonly size: Pair }): OperatorOptions => ({
    type: BuiltinOptions.Pool2DOptions,
    write: (builder) =>
      schema.Pool2DOptions.createPool2DOptions(
        builder,
        paddingOf(one),
        ...widthFirst(one.strides),
        ...widthFirst(one.size),
        ActivationFunctionType.NONE,
      ),
  }),
  fullyConnected: (one: Activated): OperatorOptions => ({
    type: BuiltinOptions.FullyConnectedOptions,
    write: (builder) => schema.FullyConnectedOptions.createFullyConnectedOptions(builder, activation(one), true),
  }),
  add: (one: Activated): OperatorOptions => ({
    type: BuiltinOptions.AddOptions,
    write: (builder) => schema.AddOptions.createAddOptions(builder, activation(one)),
  }),
  gelu: (one: { readonly approximate: boolean }): OperatorOptions => ({
    type: BuiltinOptions.GeluOptions,
    write: (builder) => schema.GeluOptions.createGeluOptions(builder, one.approximate),
  }),
  leakyRelu: (slope: number): OperatorOptions => ({
    type: BuiltinOptions.LeakyReluOptions,
    write: (builder) => schema.LeakyReluOptions.createLeakyReluOptions(builder, slope),
  }),
  concatenation: (axis: number): OperatorOptions => ({
    type: BuiltinOptions.ConcatenationOptions,
    write: (builder) => schema.ConcatenationOptions.createConcatenationOptions(builder, axis),
  }),
  gather: (axis: number): OperatorOptions => ({
    type: BuiltinOptions.GatherOptions,
    write: (builder) => schema.GatherOptions.createGatherOptions(builder, axis),
  }),
  reshape: (shape: readonly number[]): OperatorOptions => ({
    type: BuiltinOptions.ReshapeOptions,
    write: (builder) =>
      schema.ReshapeOptions.createReshapeOptions(
        builder,
        schema.ReshapeOptions.createNewShapeVector(builder, [...shape]),
      ),
  }),
  mean: (): OperatorOptions => ({
    type: BuiltinOptions.ReducerOptions,
    write: (builder) => schema.ReducerOptions.createReducerOptions(builder, false),
  }),
  cast: (from: schema.TensorType, to: schema.TensorType): OperatorOptions => ({
    type: BuiltinOptions.CastOptions,
    write: (builder) => schema.CastOptions.createCastOptions(builder, from, to),
  }),
};
