import { create } from "@bufbuild/protobuf";
import { type ElementType, elementTypes } from "./element-types.ts";
import { type TensorProto, TensorProtoSchema } from "./generated/onnx_pb.ts";

/**
 * The numbers of a tensor of real numbers, as float32; null where it is of another type, is not as long as its shape
 * says, or keeps its data elsewhere.
 */
export function realValues(tensor: TensorProto): Float32Array | null {
  const elements = tensor.dims.reduce((product, size) => product * Number(size), 1);
  const { rawData: raw } = tensor;
  const read = (): ArrayLike<number> | null => {
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    switch (tensor.dataType) {
      case elementTypes.float:
        // A copy: the bytes of a tensor may start anywhere.
        return raw.length > 0 ? new Float32Array(Uint8Array.from(raw).buffer) : tensor.floatData;
      case elementTypes.double:
        return raw.length > 0
          ? Float32Array.from({ length: raw.length / 8 }, (_, index) => view.getFloat64(8 * index, true))
          : tensor.doubleData;
      case elementTypes.float16:
        return raw.length > 0
          ? Float32Array.from({ length: raw.length / 2 }, (_, index) => halfToFloat(view.getUint16(2 * index, true)))
          : tensor.int32Data.map(halfToFloat);
      default:
        return null;
    }
  };
  if (raw.length % bytesOf(tensor.dataType) !== 0) return null;
  const values = read();
  if (values?.length !== elements) return null;
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

const bytesOf = (type: number): number => (type === elementTypes.double ? 8 : type === elementTypes.float16 ? 2 : 4);

/** The value of the bits of an IEEE half-precision number. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** The bits of the half-precision number nearest to a value; of two, the even one. */
export function floatToHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  // Half way beyond the largest.
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const steps = size / 2 ** (exponent - 10);
  const below = Math.floor(steps);
  const isUp = steps - below > 0.5 || (steps - below === 0.5 && below % 2 === 1);
  // What is rounded up to the next power of two carries into the exponent.
  return sign | (((exponent + 14) << 10) + below + (isUp ? 1 : 0));
}

/** An initializer with its bytes as they are. */
export const tensorOf = (
  name: string,
  dataType: ElementType,
  dims: readonly number[],
  rawData: Uint8Array,
): TensorProto => create(TensorProtoSchema, { name, dataType, dims: dims.map(BigInt), rawData });
