import { UserError } from "../../core/errors.ts";
import type { FrozenNode } from "../frozen-network.ts";

/** Networks that read tokens have no form for microcontrollers. @throws UserError that says so. */
export function refuseTokens({ id }: Pick<FrozenNode, "id">): never {
  throw new UserError(
    `cannot export ${id}: TensorFlow Lite files here take images, and this network reads tokens: export one of the ONNX forms, as compact`,
  );
}

/** Nor have those of samples that do not lie as images do. @throws UserError that says so. */
export function refuseValues({ id, outputShape }: Pick<FrozenNode, "id" | "outputShape">): never {
  throw new UserError(
    `cannot export ${id}: TensorFlow Lite files here take [height, width, channels], and this network reads [${outputShape.join(", ")}]: export one of the ONNX forms, as compact`,
  );
}

/** Nor have those on tensors of any rank. @throws UserError that says so. */
export function refuseSequences({ id, kind }: Pick<FrozenNode, "id" | "kind">): never {
  throw new UserError(
    `cannot export ${id}: TensorFlow Lite files here are of networks on images, without ${kind}: export one of the ONNX forms, as compact`,
  );
}
