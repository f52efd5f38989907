import type { Tensor } from "onnxruntime-node";
import { floatToHalf } from "../core/half-precision.ts";
import { ort } from "../core/onnx-runtime.ts";
import type { RuntimeTensor } from "../onnx/file-session.ts";

/** Numbers as files of samples hold them. */
export type SampleData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** What is to be known of the type of an input. */
export interface InputType {
  /** What of these numbers it cannot take, in words; null: nothing. */
  problem(data: SampleData): string | null;
  tensor(data: SampleData, shape: readonly number[]): RuntimeTensor;
}

/** All kinds of typed arrays are lists of numbers here. */
const listOf = (data: SampleData): ArrayLike<number | bigint> => data as ArrayLike<number | bigint>;
const real = (data: SampleData): readonly number[] => Array.from(listOf(data), Number);
const large = (data: SampleData): readonly bigint[] => Array.from(listOf(data), BigInt);

/** Infinities are numbers here: masks have them. */
const floats = (tensor: InputType["tensor"]): InputType => ({
  problem(data) {
    const list = listOf(data);
    let count = 0;
    for (let index = 0; index < list.length; index++) if (Number.isNaN(list[index])) count++;
    return count === 0 ? null : `NaN, ${count} of ${list.length} values: expected numbers`;
  },
  tensor,
});

/** Integers from `low` to `high`. */
const integers = (low: bigint, high: bigint, tensor: InputType["tensor"]): InputType => ({
  problem(data) {
    const list = listOf(data);
    for (let index = 0; index < list.length; index++) {
      const value = list[index] ?? 0;
      if (typeof value === "number" && !Number.isInteger(value)) return `${value}: expected whole numbers`;
      if (value < low || value > high) return `${value}: expected ${low} to ${high}`;
    }
    return null;
  },
  tensor,
});

const signed = (bits: number, tensor: InputType["tensor"]) =>
  integers(-(1n << BigInt(bits - 1)), (1n << BigInt(bits - 1)) - 1n, tensor);
const unsigned = (bits: number, tensor: InputType["tensor"]) => integers(0n, (1n << BigInt(bits)) - 1n, tensor);

const impossible = (type: string): InputType => ({
  problem: () => `numbers: inputs of the type ${type} cannot be given`,
  tensor: () => {
    throw new Error(`inputs of the type ${type} cannot be given`);
  },
});

/** By the type of an input, as the runtime names it. */
export const inputTypes: Readonly<Record<Tensor.Type, InputType>> = {
  float32: floats(
    (data, shape) =>
      new ort.Tensor("float32", data instanceof Float32Array ? data : Float32Array.from(real(data)), shape),
  ),
  float64: floats((data, shape) => new ort.Tensor("float64", Float64Array.from(real(data)), shape)),
  float16: floats((data, shape) => new ort.Tensor("float16", Uint16Array.from(real(data), floatToHalf), shape)),
  int64: signed(64, (data, shape) => new ort.Tensor("int64", BigInt64Array.from(large(data)), shape)),
  uint64: unsigned(64, (data, shape) => new ort.Tensor("uint64", BigUint64Array.from(large(data)), shape)),
  int32: signed(32, (data, shape) => new ort.Tensor("int32", Int32Array.from(real(data)), shape)),
  uint32: unsigned(32, (data, shape) => new ort.Tensor("uint32", Uint32Array.from(real(data)), shape)),
  int16: signed(16, (data, shape) => new ort.Tensor("int16", Int16Array.from(real(data)), shape)),
  uint16: unsigned(16, (data, shape) => new ort.Tensor("uint16", Uint16Array.from(real(data)), shape)),
  int8: signed(8, (data, shape) => new ort.Tensor("int8", Int8Array.from(real(data)), shape)),
  uint8: unsigned(8, (data, shape) => new ort.Tensor("uint8", Uint8Array.from(real(data)), shape)),
  bool: unsigned(1, (data, shape) => new ort.Tensor("bool", Uint8Array.from(real(data)), shape)),
  string: impossible("string"),
  uint4: impossible("uint4"),
  int4: impossible("int4"),
};
