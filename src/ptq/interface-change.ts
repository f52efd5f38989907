import type { RuntimeValue } from "../onnx/file-session.ts";

/** What a file takes and gives. */
export interface FileInterface {
  readonly inputs: readonly RuntimeValue[];
  readonly outputs: readonly RuntimeValue[];
}

/**
 * How names, order, types or sizes of inputs and outputs differ; null: in nothing. A size of an output that the file left
 * open without a name may be found out: the runtime derives it.
 */
export function interfaceChange(before: FileInterface, after: FileInterface): string | null {
  const told = after.outputs.map((output, at) => {
    const { shape } = before.outputs[at] ?? { shape: [] };
    return { ...output, shape: shape.length === 0 ? [] : hide(output.shape, shape) };
  });
  const expected = words(before.inputs, before.outputs);
  const got = words(after.inputs, told);
  return got === expected ? null : `${expected} became ${got}`;
}

type Shape = RuntimeValue["shape"];

const hide = (shape: Shape, wanted: Shape): Shape => shape.map((size, axis) => (wanted[axis] === "" ? "" : size));
const words = (...values: (readonly RuntimeValue[])[]): string => JSON.stringify(values);
