import { UserError } from "../core/errors.ts";
import type { ByteBatch, Dataset } from "../data/dataset.ts";
import { normalized } from "../data/normalized-pixels.ts";
import { requireImages } from "../data/require-images.ts";
import { tokensOf, valuesOf } from "../data/sample-numbers.ts";
import type { FileInputValues } from "../onnx/file-session.ts";
import { declaredTensor } from "../onnx/value-info.ts";
import { layoutsOf, toChannelsFirst } from "./image-layout.ts";
import { inputTypeOf, type Model } from "./onnx/read-model.ts";

/** Images of a batch, whatever they show. */
export type Pixels = Pick<ByteBatch, "count" | "images">;

/** What an ONNX file takes. */
export interface FileInput {
  /** Images of a batch, where the file allows only so many; null: any number. */
  readonly batch: number | null;
  /** A batch of images as the file takes it, with its shape. */
  imagesOf(batch: Pixels): { readonly values: FileInputValues; readonly shape: readonly number[] };
}

/** A shape without its batch; null: a size that the file leaves open. */
type Dims = readonly (number | null)[];

/**
 * How images of a data set go into an ONNX file: its input says whether it takes pixels or normalised images, how many,
 * and in which order of axes.
 *
 * @throws UserError when they do not fit.
 */
export function fileInput(
  model: Model,
  file: string,
  dataset: Pick<Dataset, "name" | "imageShape" | "normalization" | "tokens">,
): FileInput {
  if (dataset.tokens !== undefined) return numberInput(dataset.imageShape, tokensOf);
  if (dataset.normalization === null) return numberInput(dataset.imageShape, valuesOf);
  const { imageShape, normalization } = requireImages(dataset, `evaluate ${file}`);
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

/** Texts or values, as files of this program take them: [batch, …], any number of them. */
const numberInput = (shape: readonly number[], numbersOf: (bytes: Uint8Array) => FileInputValues): FileInput => ({
  batch: null,
  imagesOf: ({ count, images }) => ({ values: numbersOf(images), shape: [count, ...shape] }),
});

const isOpenOr = (sizes: readonly number[]) => (size: number | null, axis: number) =>
  size === null || size === sizes[axis];

/** The shape of the first input that is no weight; undefined where the file does not say its rank. */
function declaredShape({ graph }: Model): Dims | undefined {
  const weights = new Set(graph.initializer.map(({ name }) => name));
  const input = graph.input.find(({ name }) => !weights.has(name));
  const shape = input && declaredTensor(input)?.shape;
  return shape?.map((size) => (typeof size === "number" && size > 0 ? size : null));
}
