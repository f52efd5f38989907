import { elementsOf } from "../../graph/shape.ts";
import { elementTypes, typeName } from "../../onnx/element-types.ts";
import { TensorProto_DataLocation } from "../../onnx/generated/onnx_pb.ts";
import type { TensorProto } from "./attributes.ts";
import { cut, Damaged } from "./problems.ts";
import type { Floats, Integers } from "./value.ts";

const { float: FLOAT, int32: INT32, int64: INT64, bool: BOOL } = elementTypes;

/**
 * The numbers of a tensor that the file holds.
 *
 * @throws Damaged when its data lies in another file, is not as long as its shape says, or is of another type.
 */
export function decodeTensor(tensor: TensorProto): Floats | Integers {
  const name = `tensor "${cut(tensor.name ?? "")}"`;
  if (tensor.dataLocation === TensorProto_DataLocation.EXTERNAL || tensor.externalData?.length) {
    throw new Damaged(
      `${name} keeps its data in another file; write one file: torch.onnx.export(…, external_data=False), or onnx.save(onnx.load(file), file)`,
    );
  }
  if (tensor.segment) throw new Damaged(`${name} is only a segment`);
  const dims = (tensor.dims ?? []).map(Number);
  const elements = elementsOf(dims);
  if (dims.some((size) => !Number.isInteger(size) || size < 0) || !Number.isSafeInteger(elements)) {
    throw new Damaged(`${name} has the impossible shape [${dims}]`);
  }
  const raw = tensor.rawData ?? new Uint8Array();
  const expect = (found: number) => {
    if (found !== elements) throw new Damaged(`${name} has the shape [${dims}], but ${found} numbers`);
  };
  switch (tensor.dataType) {
    case FLOAT: {
      const list = tensor.floatData ?? [];
      expect(raw.length > 0 ? raw.length / 4 : list.length);
      return { kind: "floats", dims, values: raw.length > 0 ? rawFloats(raw) : Float32Array.from(list) };
    }
    case INT32:
    case INT64:
    case BOOL: {
      const list = (tensor.dataType === INT64 ? tensor.int64Data : tensor.int32Data) ?? [];
      const size = { [INT32]: 4, [INT64]: 8, [BOOL]: 1 }[tensor.dataType]!;
      expect(raw.length > 0 ? raw.length / size : list.length);
      return { kind: "integers", dims, values: raw.length > 0 ? rawIntegers(raw, size) : list.map(Number) };
    }
    default:
      throw new Damaged(`${name} is ${typeName(tensor.dataType)}, expected float32: export the network in float32`);
  }
}

/** A copy: the bytes of a tensor may start anywhere. */
const rawFloats = (raw: Uint8Array): Float32Array => new Float32Array(new Uint8Array(raw).buffer);

function rawIntegers(raw: Uint8Array, size: number): number[] {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: raw.length / size }, (_, index) => {
    if (size === 8) return Number(view.getBigInt64(index * size, true));
    return size === 4 ? view.getInt32(index * size, true) : view.getUint8(index);
  });
}
