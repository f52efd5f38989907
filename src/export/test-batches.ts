import type { ExportInput } from "../config/sections/export-settings.ts";
import { at } from "../core/elements.ts";
import { tuple } from "../core/tuple.ts";
import type { ByteBatch, Dataset, Split } from "../data/dataset.ts";
import { tokensOf, valuesOf } from "../data/sample-numbers.ts";
import type { Ops, Tensor } from "../engine/ops.ts";
import type { FileInputValues } from "../onnx/file-session.ts";
import type { FrozenNetwork } from "./frozen-network.ts";
import { toChannelsFirst } from "./onnx/value-layout.ts";

/** Test images, or texts, as the data set gives them. */
export interface TestImages extends Split {
  readonly imageShape: Dataset["imageShape"];
}

/** A batch as the file takes it and as the trainer's kernels do. */
export interface TestBatch {
  readonly count: number;
  /** Of `forFile`. */
  readonly shape: readonly number[];
  readonly forFile: FileInputValues;
  /** Normalised by the engine, [batch, height, width, channels]; or tokens, [batch, tokens], or values as they are. */
  readonly normalized: Float32Array | Int32Array;
}

/** Downloads a copy that outlives the tensor. */
export const floats = (ops: Ops, x: Tensor): Float32Array => Float32Array.from(ops.read(x));

interface BatchOptions {
  readonly network: FrozenNetwork;
  readonly ops: Ops;
  readonly input: ExportInput;
  /** Whether the file takes [batch, height, width, channels]; [batch, channels, height, width] if left out. */
  readonly channelsLast?: boolean;
}

/** What a file of each kind of input takes; int8 by its bits. */
const fileValues: Readonly<
  Record<ExportInput, (images: Uint8Array, normalized: Float32Array) => Uint8Array | Float32Array>
> = {
  uint8: (images) => images,
  int8: (images) => images.map((pixel) => pixel ^ 0x80),
  float: (_, normalized) => normalized,
};

/** Both views of a batch of pixels, tokens or values. */
export function batchOf(
  { count, images }: Pick<ByteBatch, "count" | "images">,
  { network, ops, input, channelsLast = false }: BatchOptions,
): TestBatch {
  const first = at(network.nodes, 0);
  const { normalization } = network;
  if (normalization === null) {
    const numbers = first.kind === "input" && first.dtype === "int32" ? tokensOf(images) : valuesOf(images);
    return { count, shape: [count, ...first.outputShape], forFile: numbers, normalized: numbers };
  }
  const [height, width, channels] = tuple(first.outputShape, 3);
  const normalized = ops.scope(
    () => floats(ops, ops.normalize(ops.tensor(images, [count, height, width, channels]), normalization)),
    () => [],
  );
  const values = fileValues[input](images, normalized);
  return {
    count,
    shape: channelsLast ? [count, height, width, channels] : [count, channels, height, width],
    forFile: channelsLast ? values : toChannelsFirst(network, first, values),
    normalized,
  };
}
