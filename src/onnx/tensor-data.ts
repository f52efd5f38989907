import { create } from "@bufbuild/protobuf";
import { halfToFloat } from "../core/half-precision.ts";
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

/** An initializer with its bytes as they are. */
export const tensorOf = (
  name: string,
  dataType: ElementType,
  dims: readonly number[],
  rawData: Uint8Array,
): TensorProto => create(TensorProtoSchema, { name, dataType, dims: dims.map(BigInt), rawData });
