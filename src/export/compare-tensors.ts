import { UserError } from "../core/errors.ts";
import { type Model, readModel } from "./onnx/read-model.ts";

/**
 * Compares the tensors that a file holds (codes, scales, biases) with those that were written, byte by byte: a wrong one
 * may move no code of any test image.
 *
 * @param bytes What the file should be.
 * @throws UserError that names the first tensor that differs.
 */
export function compareTensors(model: Model, bytes: Uint8Array, file: string): void {
  const held = tensorsOf(model);
  for (const [name, expected] of tensorsOf(readModel(bytes, file))) {
    const found = held.get(name);
    if (found === undefined) throw otherNetwork(file, name, "which it does not hold");
    if (found.kind !== expected.kind) throw otherNetwork(file, name, `which is ${found.kind}, not ${expected.kind}`);
    let different = 0;
    expected.data.forEach((byte, at) => {
      if (found.data[at] !== byte) different++;
    });
    if (different > 0 || found.data.length !== expected.data.length) {
      throw otherNetwork(file, name, `in ${different} of ${expected.data.length} bytes`);
    }
  }
}

function tensorsOf({ graph }: Model) {
  const tensors = graph?.initializer?.map(({ name, dataType, dims, rawData }) => {
    const kind = `[${dims?.map(Number).join(", ")}] of ONNX type ${dataType}`;
    return [name!, { kind, data: rawData ?? new Uint8Array() }] as const;
  });
  return new Map(tensors);
}

const otherNetwork = (file: string, tensor: string, how: string) =>
  new UserError(
    `${file}: differs from the trained network, first at tensor ${tensor}, ${how}. The file was made of another network, ` +
      "or is damaged: export again from the run's checkpoint.",
  );
