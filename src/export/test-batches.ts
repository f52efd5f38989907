import type { Ops, Tensor } from "../engine/ops.ts";
import type { FrozenNetwork } from "./frozen-network.ts";
import { toChannelsFirst } from "./onnx/layout.ts";
import type { InputKind } from "./onnx/model-frame.ts";

/** Test images as the data set holds them: pixels stay bytes. */
export interface TestImages {
  /** [count, height, width, channels], 0…255. */
  readonly images: Uint8Array;
  readonly labels: Int32Array;
  readonly count: number;
  /** [height, width, channels]. */
  readonly imageShape: readonly number[];
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

/** Images `start` to `end`. */
export function batchOf(
  test: TestImages,
  { network, ops, input }: { readonly network: FrozenNetwork; readonly ops: Ops; readonly input: InputKind },
  [start, end]: readonly [number, number],
): TestBatch {
  const [height, width, channels] = test.imageShape as readonly [number, number, number];
  const size = height * width * channels;
  const count = end - start;
  // A copy: the engine reads the array in place.
  const pixels = test.images.slice(start * size, end * size);
  const normalized = ops.scope(
    () => floats(ops, ops.normalize(ops.tensor(pixels, [count, height, width, channels]), network.normalization)),
    () => [],
  );
  const first = network.nodes[0]!;
  return {
    count,
    shape: [count, channels, height, width],
    forFile: toChannelsFirst(network, first, input === "uint8" ? pixels : normalized),
    normalized,
  };
}
