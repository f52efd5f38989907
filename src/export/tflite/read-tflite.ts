import { ByteBuffer } from "flatbuffers";
import { messageOf, UserError } from "../../core/errors.ts";
import type { StoredTensors } from "../compare-tensors.ts";
import { Model, TensorType } from "./generated/tflite_generated.ts";

/**
 * The tensors that a TensorFlow Lite file holds, with what their codes stand for.
 *
 * @param file Its name in messages.
 * @throws UserError when the bytes are none.
 */
export function tensorsOf(bytes: Uint8Array, file: string): StoredTensors {
  const buffer = new ByteBuffer(bytes);
  if (bytes.length < 8 || !Model.bufferHasIdentifier(buffer)) throw damaged(file, "it does not begin as one");
  try {
    return storedTensors(Model.getRootAsModel(buffer));
  } catch (error) {
    throw damaged(file, messageOf(error), error);
  }
}

function storedTensors(model: Model): StoredTensors {
  const graph = there(model.subgraphs(0));
  const found = Array.from({ length: graph.tensorsLength() }, (_, index) => {
    const tensor = there(graph.tensors(index));
    const grid = tensor.quantization();
    const scales = grid === null ? [] : Array.from({ length: grid.scaleLength() }, (_, at) => grid.scale(at));
    const shape = Array.from({ length: tensor.shapeLength() }, (_, axis) => tensor.shape(axis));
    const quantized =
      scales.length === 0 ? "" : ` with steps ${scales.join(", ")} and zero point ${grid?.zeroPoint(0)}`;
    const kind = `[${shape.join(", ")}] of type ${TensorType[tensor.type()]}${quantized}`;
    return [
      there(tensor.name()),
      { kind, data: there(model.buffers(tensor.buffer())).dataArray() ?? new Uint8Array() },
    ] as const;
  });
  return new Map(found);
}

function there<T>(value: T | null): T {
  if (value === null) throw new RangeError("a part of it is missing");
  return value;
}

const damaged = (file: string, why: string, cause?: unknown) =>
  new UserError(`${file}: not a TensorFlow Lite file, or damaged (${why})`, { cause });
