import { first } from "../core/elements.ts";
import { messageOf, UserError } from "../core/errors.ts";
import type { ByteBatch, Dataset } from "../data/dataset.ts";
import { normalized } from "../data/normalized-pixels.ts";
import { requireImages } from "../data/require-images.ts";
import { tokensOf, valuesOf } from "../data/sample-numbers.ts";
import { type TextInput, textNumbers, textRoles } from "../network/onnx/text-roles.ts";
import { elementTypes } from "../onnx/element-types.ts";
import type { FileTensor } from "../onnx/file-session.ts";
import { declaredTensor } from "../onnx/value-info.ts";
import { layoutsOf, toChannelsFirst } from "./image-layout.ts";
import { inputTypeOf, type Model } from "./onnx/read-model.ts";
import type { FileTensors } from "./runtime.ts";

/** Images of a batch, whatever they show. */
export type Pixels = Pick<ByteBatch, "count" | "images">;

/** What an ONNX file takes. */
export interface FileInput {
  /** Images of a batch, where the file allows only so many; null: any number. */
  readonly batch: number | null;
  /** A batch of images as the file takes it, by its inputs. */
  tensorsOf(batch: Pixels): FileTensors;
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
  if (dataset.tokens !== undefined) return textInput(model, file, first(dataset.imageShape));
  const [input] = inputsOf(model);
  if (input === undefined) throw new UserError(`cannot evaluate ${file}: it has no input`);
  if (dataset.normalization === null) return valueInput(input.name, dataset.imageShape);
  const { imageShape, normalization } = requireImages(dataset, `evaluate ${file}`);
  const declared = declaredShape(input);
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
    tensorsOf({ count, images }) {
      const values = pixels ? images : normalized(images, normalization);
      const laid = layout.channelsFirst ? toChannelsFirst(values, imageShape) : values;
      return new Map([[input.name, { values: laid, shape: [count, ...layout.dims] }]]);
    },
  };
}

/** Values, as files of this program take them: [batch, …], any number of them. */
const valueInput = (name: string, shape: readonly number[]): FileInput => ({
  batch: null,
  tensorsOf: ({ count, images }) => new Map([[name, { values: valuesOf(images), shape: [count, ...shape] }]]),
});

/** The tokens of texts, and what a file takes beside them, [batch, tokens]. @throws UserError where it takes something else. */
function textInput(model: Model, file: string, length: number): FileInput {
  const declared = inputsOf(model).map((input) => ({ name: input.name, type: declaredTensor(input)?.type ?? 0 }));
  try {
    const texts = textRoles(declared);
    const [batch = null] = inputsOf(model).flatMap((input) => declaredShape(input)?.[0] ?? []);
    return { batch, tensorsOf: ({ images }) => textTensors(texts, tokensOf(images), length) };
  } catch (error) {
    throw new UserError(`cannot evaluate ${file} on texts: ${messageOf(error)}`, { cause: error });
  }
}

/** What a file that takes texts is given for tokens, [batch, tokens]. */
export const textTensors = (texts: readonly TextInput[], tokens: Int32Array, length: number): FileTensors =>
  new Map(
    texts.map(({ name, role, type }) => {
      const values = asElements(type, textNumbers[role](tokens, length));
      return [name, { values, shape: [tokens.length / length, length] }];
    }),
  );

/** Whole numbers as the elements of a type. */
function asElements(type: number, numbers: ArrayLike<number>): FileTensor["values"] {
  if (type === elementTypes.int64) return BigInt64Array.from(numbers, BigInt);
  if (type === elementTypes.bool) return Array.from(numbers, (number) => number !== 0);
  return type === elementTypes.float ? Float32Array.from(numbers) : Int32Array.from(numbers);
}

const isOpenOr = (sizes: readonly number[]) => (size: number | null, axis: number) =>
  size === null || size === sizes[axis];

/** What goes into a file: its inputs that are no weights. */
function inputsOf({ graph }: Model): Model["graph"]["input"] {
  const weights = new Set(graph.initializer.map(({ name }) => name));
  return graph.input.filter(({ name }) => !weights.has(name));
}

/** The shape of an input; undefined where the file does not say its rank. */
function declaredShape(input: Model["graph"]["input"][number]): Dims | undefined {
  const shape = declaredTensor(input)?.shape;
  return shape?.map((size) => (typeof size === "number" && size > 0 ? size : null));
}
