import { UserError } from "../core/errors.ts";
import type { ByteBatch, Dataset } from "../data/dataset.ts";
import { declaredTensor } from "../onnx/value-info.ts";
import { inputTypeOf, type Model } from "./onnx/read-model.ts";

/** Images of a batch, whatever they show. */
export type Pixels = Pick<ByteBatch, "count" | "images">;

/** What an ONNX file takes. */
export interface FileInput {
  /** Images of a batch, where the file allows only so many; null: any number. */
  readonly batch: number | null;
  /** A batch of images as the file takes it, with its shape. */
  imagesOf(batch: Pixels): { readonly values: Float32Array | Uint8Array; readonly shape: readonly number[] };
}

/** A shape without its batch; null: a size that the file leaves open. */
type Dims = readonly (number | null)[];

/** Layouts of an image, as training takes them; gray images may have no channels, or be a row of pixels. */
function layoutsOf([height, width, channels]: Dataset["imageShape"]) {
  const first = { dims: [channels, height, width], channelsFirst: true };
  const last = { dims: [height, width, channels], channelsFirst: false };
  const gray = [
    { dims: [height, width], channelsFirst: true },
    { dims: [height * width], channelsFirst: true },
  ];
  return channels === 1 ? [first, last, ...gray] : [first, last];
}

/**
 * How images of a data set go into an ONNX file: its input says whether it takes pixels or normalised images, how many,
 * and in which order of axes.
 *
 * @throws UserError when they do not fit.
 */
export function fileInput(model: Model, file: string, dataset: Dataset): FileInput {
  const { imageShape, normalization } = dataset;
  const declared = declaredShape(model);
  const [batch = null, ...dims] = declared ?? [null, null, null, null];
  const fits = (sizes: readonly number[]) => sizes.length === dims.length && dims.every(isOpenOr(sizes));
  const layout = layoutsOf(imageShape).find(({ dims }) => fits(dims));
  if (layout === undefined || declared?.length === 0) {
    const [height, width, channels] = imageShape;
    throw new UserError(
      `cannot evaluate ${file}: it takes [${(declared ?? []).map((size) => size ?? "?").join(", ")}], the data set's images are ` +
        `${height} x ${width} with ${channels} channels: choose a data set of its image size with --data`,
    );
  }
  const pixels = inputTypeOf(model) === "uint8";
  return {
    batch,
    imagesOf({ count, images }) {
      const values = pixels ? images : normalized(images, normalization);
      return {
        values: layout.channelsFirst ? toChannelsFirst(values, imageShape) : values,
        shape: [count, ...layout.dims],
      };
    },
  };
}

const isOpenOr = (sizes: readonly number[]) => (size: number | null, axis: number) =>
  size === null || size === sizes[axis];

/** The shape of the first input that is no weight; undefined where the file does not say its rank. */
function declaredShape({ graph }: Model): Dims | undefined {
  const weights = new Set(graph.initializer.map(({ name }) => name));
  const input = graph.input.find(({ name }) => !weights.has(name));
  const shape = input && declaredTensor(input)?.shape;
  return shape?.map((size) => (typeof size === "number" && size > 0 ? size : null));
}

function normalized(images: Uint8Array, { mean, deviation }: Dataset["normalization"]): Float32Array {
  const scale = deviation.map((value) => 1 / (255 * value));
  const shift = mean.map((value, channel) => value / deviation[channel]!);
  return Float32Array.from(images, (byte, index) => {
    const channel = index % scale.length;
    return byte * scale[channel]! - shift[channel]!;
  });
}

/** [n, height, width, channels] as [n, channels, height, width]. */
function toChannelsFirst<T extends Float32Array | Uint8Array>(
  values: T,
  [height, width, channels]: Dataset["imageShape"],
): T {
  if (channels === 1) return values;
  // A copy is of the same kind.
  const moved = values.slice() as T;
  const area = height * width;
  for (let at = 0; at < values.length; at++) {
    const pixel = Math.floor(at / channels);
    const image = Math.floor(pixel / area);
    moved[(image * channels + (at % channels)) * area + (pixel % area)] = values[at]!;
  }
  return moved;
}
