import { TensorProto_DataType as types } from "./generated/onnx_pb.ts";

/** Numbers of TensorProto.DataType, by the names that NumPy and runtimes give them. */
export const elementTypes = {
  float: types.FLOAT,
  float16: types.FLOAT16,
  bfloat16: types.BFLOAT16,
  double: types.DOUBLE,
  bool: types.BOOL,
  uint8: types.UINT8,
  int8: types.INT8,
  uint16: types.UINT16,
  int16: types.INT16,
  int32: types.INT32,
  int64: types.INT64,
  uint4: types.UINT4,
  int4: types.INT4,
  uint2: types.UINT2,
  int2: types.INT2,
} as const;

export type ElementType = (typeof elementTypes)[keyof typeof elementTypes];

const names = new Map<number, string>(Object.entries(elementTypes).map(([name, type]) => [type, name]))
  .set(types.FLOAT, "float32")
  .set(types.DOUBLE, "float64")
  .set(types.UNDEFINED, "of no type");

/** A type as messages name it. */
export const typeName = (type: number | null | undefined): string => names.get(type ?? 0) ?? `of type ${type}`;

/** The type that runtimes name so; null: none that is known here. */
export const elementTypeNamed = (name: string): ElementType | null =>
  Object.values(elementTypes).find((type) => typeName(type) === name) ?? null;
