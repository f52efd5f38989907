import { halfToFloat } from "../core/half-precision.ts";
import type { RuntimeTensor } from "../onnx/file-session.ts";
import type { RunSize } from "./samples.ts";

/**
 * The numbers of those samples of a run that count; all where the first axis does not tell samples apart, as that of boxes
 * that were found in one image.
 */
export function countedOf(tensor: RuntimeTensor, { batch, count }: RunSize): Float32Array | Float64Array {
  const numbers = numbersOf(tensor);
  const [first = 1] = tensor.dims;
  return first % batch === 0 ? numbers.subarray(0, (numbers.length / batch) * count) : numbers;
}

/** The numbers of a tensor of any type, the tensor's own where they are float32; words have none. */
export function numbersOf({ data, type }: RuntimeTensor): Float32Array | Float64Array {
  if (type === "string") return new Float64Array();
  if (data instanceof Float32Array) return data;
  // The runtime gives the bits of half-precision numbers where JavaScript has no array of them.
  if (type === "float16" && data instanceof Uint16Array) return Float64Array.from(data, halfToFloat);
  // All but words are typed arrays of numbers.
  return Float64Array.from(data as ArrayLike<number>, Number);
}

/** What tensors take. */
export const bytesOf = (tensors: ReadonlyMap<string, RuntimeTensor>): number =>
  Array.from(tensors.values()).reduce((sum, { data }) => sum + (ArrayBuffer.isView(data) ? data.byteLength : 0), 0);
