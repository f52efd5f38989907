import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { messageOf, UserError } from "../core/errors.ts";
import { readWholeFile } from "../core/read-file.ts";
import type { Dataset, ImageShape } from "../data/dataset.ts";
import { type FileInput, fileInput, type Pixels } from "./file-input.ts";
import { fromChannelsFirst } from "./image-layout.ts";
import { expandQuant, usesQuant } from "./onnx/expand-quant.ts";
import { encodeModelProto, externalFiles, type Model, readModel } from "./onnx/read-model.ts";
import { RuntimeModel, type RuntimeValues } from "./runtime.ts";

type TakenData = Pick<Dataset, "name" | "imageShape" | "normalization" | "tokens" | "targets">;

/**
 * An ONNX file that takes a data set's samples, in onnxruntime; its input says whether it takes pixels or normalised
 * images, in which order of axes, and how many at once. Call `release` at the end.
 */
export class DatasetModel {
  readonly #model: RuntimeModel;
  readonly #input: FileInput;
  /** Of samples. */
  readonly #imageShape: readonly number[];
  /** Whether what it gives may be an image, and not values in an order of their own. */
  readonly #mayGivePixels: boolean;

  private constructor(model: RuntimeModel, input: FileInput, { imageShape, targets }: TakenData) {
    this.#model = model;
    this.#input = input;
    this.#imageShape = imageShape;
    this.#mayGivePixels = targets.kind !== "values";
  }

  /** @throws UserError when the file cannot be read, is not ONNX, or does not take these samples. */
  static async open(
    file: string,
    dataset: TakenData,
    { threads }: { readonly threads?: number | undefined } = {},
  ): Promise<DatasetModel> {
    const bytes = readBytes(file);
    const read = readModel(bytes, file);
    const input = fileInput(read, file, dataset);
    const model = await RuntimeModel.load(runnable(read, bytes, file), file, { threads });
    return new DatasetModel(model, input, dataset);
  }

  /** Samples of a batch, where the file allows only so many; null: any number. */
  get batch(): number | null {
    return this.#input.batch;
  }

  /** Its first output for any number of samples, one after another; of pixels channels last. */
  async outputs(batch: Pixels): Promise<RuntimeValues> {
    const size = this.batch ?? batch.count;
    const parts: RuntimeValues[] = [];
    for (let start = 0; start < batch.count; start += size) {
      const part = sliceOf(batch, start, size);
      const given = await this.#model.runFirst(this.#input.tensorsOf(repeated(part, size)));
      // The file need not say what its output is like: what comes out does.
      const pixels = this.#mayGivePixels ? pixelsOf(given.shape, this.#imageShape) : null;
      const outputs = pixels === null ? given.values : fromChannelsFirst(Float32Array.from(given.values), pixels);
      parts.push(outputs.subarray(0, (outputs.length / size) * part.count));
    }
    const [whole, ...more] = parts;
    if (whole !== undefined && more.length === 0) return whole;
    return Float32Array.from(parts.flatMap((part) => [...part]));
  }

  release(): Promise<void> {
    return this.#model.release();
  }
}

/** [height, width, channels] of an output that is [batch, channels, height, width] with a pixel for each of the input's. */
function pixelsOf(output: readonly number[], [height, width]: readonly number[]): ImageShape | null {
  const [, channels, rows, columns, ...more] = output;
  if (more.length > 0 || channels === undefined || rows === undefined || columns === undefined) return null;
  return rows === height && columns === width ? [rows, columns, channels] : null;
}

function sliceOf({ count, images }: Pixels, start: number, size: number): Pixels {
  const length = images.length / count;
  const end = Math.min(count, start + size);
  return { count: end - start, images: images.subarray(start * length, end * length) };
}

function readBytes(file: string): Uint8Array {
  try {
    return readWholeFile(file);
  } catch (error) {
    throw new UserError(`cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** What the runtime loads: the file itself where its weights lie in others, which it finds beside it. */
function runnable(model: Model, bytes: Uint8Array, file: string): Uint8Array | string {
  const external = externalFiles(model);
  const missing = external.find((name) => !existsSync(resolve(dirname(file), name)));
  if (missing !== undefined) {
    throw new UserError(
      `cannot evaluate ${file}: its weights lie in ${missing}, which is not beside it: put it there, or save the model ` +
        "as one file",
    );
  }
  if (!usesQuant(model)) return external.length > 0 ? file : bytes;
  if (external.length > 0) {
    throw new UserError(
      `cannot evaluate ${file}: it has Quant nodes and its weights in other files: save it as one file`,
    );
  }
  return encodeModelProto(expandQuant(model, file));
}

/** A batch of `size` images, for a file that takes no other number: its first image fills what is missing. */
function repeated({ count, images }: Pixels, size: number): Pixels {
  if (count === size) return { count, images };
  const length = images.length / count;
  const filled = new Uint8Array(size * length);
  for (let image = 0; image < size; image++) filled.set(images.subarray(0, length), image * length);
  filled.set(images);
  return { count: size, images: filled };
}
