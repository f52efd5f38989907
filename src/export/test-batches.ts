import { at } from "../core/elements.ts";
import { tuple } from "../core/tuple.ts";
import type { ByteBatch, ImageShape, Split } from "../data/dataset.ts";
import type { Ops, Tensor } from "../engine/ops.ts";
import type { FrozenNetwork } from "./frozen-network.ts";
import type { InputKind } from "./onnx/model-frame.ts";
import { toChannelsFirst } from "./onnx/value-layout.ts";

/** Test images as the data set gives them. */
export interface TestImages extends Split {
  readonly imageShape: ImageShape;
}

/** A batch as the file takes it and as the trainer's kernels do. */
export interface TestBatch {
  readonly count: number;
  /** [batch, channels, height, width]. */
  readonly shape: readonly number[];
  readonly forFile: Float32Array | Uint8Array;
  /** Normalised by the engine, [batch, height, width, channels]. */
  readonly normalized: Float32Array;
}

/** Downloads a copy that outlives the tensor. */
export const floats = (ops: Ops, x: Tensor): Float32Array => Float32Array.from(ops.read(x));

/** Both views of a batch of pixels. */
export function batchOf(
  { count, images }: Pick<ByteBatch, "count" | "images">,
  { network, ops, input }: { readonly network: FrozenNetwork; readonly ops: Ops; readonly input: InputKind },
): TestBatch {
  const first = at(network.nodes, 0);
  const [height, width, channels] = tuple(first.outputShape, 3);
  const normalized = ops.scope(
    () => floats(ops, ops.normalize(ops.tensor(images, [count, height, width, channels]), network.normalization)),
    () => [],
  );
  return {
    count,
    shape: [count, channels, height, width],
    forFile: toChannelsFirst(network, first, input === "uint8" ? images : normalized),
    normalized,
  };
}
