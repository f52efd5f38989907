import type { ValueInfoProto } from "./generated/onnx_pb.ts";

/** A size, the name of a free one, or null where the file leaves it open without a name. */
export type DeclaredSize = number | string | null;

/** What a file declares of a tensor. */
export interface DeclaredTensor {
  /** Number of TensorProto.DataType; 0: not said. */
  readonly type: number;
  /** Null: not even the rank is said. */
  readonly shape: readonly DeclaredSize[] | null;
}

/** What is declared of a value; null: it is no tensor, or nothing is said of it. */
export function declaredTensor({ type }: ValueInfoProto): DeclaredTensor | null {
  if (type?.value.case !== "tensorType") return null;
  const { elemType, shape } = type.value.value;
  if (shape === undefined) return { type: elemType, shape: null };
  const sizes = shape.dim.map(({ value }) => {
    if (value.case === "dimValue") return Number(value.value);
    return value.case === "dimParam" && value.value !== "" ? value.value : null;
  });
  return { type: elemType, shape: sizes };
}
