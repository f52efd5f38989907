import type { ImageDataConfig } from "../config/sections/data-settings.ts";
import type { ImageInputSettings } from "../config/sections/quantize-settings.ts";
import { UsageError } from "../core/errors.ts";
import { shortenNames } from "../core/shorten.ts";
import type { ByteBatch, ImageDataset } from "../data/dataset.ts";
import { normalized } from "../data/normalized-pixels.ts";
import { type ImageLayout, layoutsOf, toChannelsFirst } from "../export/image-layout.ts";
import type { RuntimeValue } from "../onnx/file-session.ts";
import { describeInput, type SampleArray } from "./samples.ts";

/** How images of a data set go into a model. */
export interface ImageInput {
  /** As it was found where nobody said. */
  readonly settings: Required<{ readonly [K in keyof ImageInputSettings]: NonNullable<ImageInputSettings[K]> }>;
  /** What was taken for granted. */
  readonly notes: readonly string[];
  /** Images for the model's only input: bytes until a run is given some. */
  arrays(batch: Pick<ByteBatch, "count" | "images">): ReadonlyMap<string, SampleArray>;
}

/** Types of inputs that take images, with what they take if nobody says. */
const ranges: Readonly<Record<string, "unit" | "bytes">> = {
  float32: "unit",
  float16: "unit",
  float64: "unit",
  uint8: "bytes",
};

/**
 * @param source What the images come from, in messages.
 * @throws UsageError that names the input, what the file says and what was given.
 */
export function imageInput(
  inputs: readonly RuntimeValue[],
  { imageShape, normalization }: Pick<ImageDataset, "imageShape" | "normalization">,
  {
    given,
    data,
    source,
  }: {
    readonly given: ImageInputSettings;
    readonly data: Pick<ImageDataConfig, "normalization">;
    readonly source: string;
  },
): ImageInput {
  const [input, ...others] = inputs;
  if (input === undefined || others.length > 0) {
    const names = shortenNames(inputs.map(({ name }) => name));
    throw new UsageError(
      `${source}: images are for one input, and the file has ${names}: give a .npz with an array for each`,
    );
  }
  const refuse = (what: string) => new UsageError(`${source}: the input ${describeInput(input)} got ${what}`);
  const usual = ranges[input.type ?? ""];
  if (usual === undefined) throw refuse("images: expected an input of floats or of uint8");
  const range = given.range ?? usual;
  if (input.type === "uint8" && range === "unit") throw refuse("pixels from 0 to 1: expected input.range: bytes");
  const fitting = layoutsOf(imageShape).filter((layout) => fits(layout, input));
  const layout = fitting.find(
    ({ channelsFirst }) => given.layout === undefined || nameOf(channelsFirst) === given.layout,
  );
  const [height, width, channels] = imageShape;
  if (layout === undefined) {
    const as = given.layout === undefined ? "" : ` as ${given.layout}`;
    throw refuse(
      `images of ${height} x ${width} with ${channels} channel${channels === 1 ? "" : "s"}${as}: expected data of its size; images of a folder get it by data.size and data.channels`,
    );
  }
  const notes: string[] = [];
  if (layout.dims.some((_, axis) => typeof input.shape.at(axis - layout.dims.length) === "string")) {
    notes.push(`the input ${describeInput(input)} leaves sizes open: it gets images of [${layout.dims}]`);
  }
  if (fitting.length > 1 && channels > 1 && given.layout === undefined) {
    notes.push("channels are given before height and width: where they belong behind, say input.layout: nhwc");
  }
  if (range === "unit" && data.normalization === undefined) {
    const { mean, deviation } = normalization;
    notes.push(
      `pixels are given from 0 to 1, less ${mean.join(", ")}, over ${deviation.join(", ")}, as is usual for these images: where the network wants others, say so in a configuration (data.normalization, input.range)`,
    );
  }
  // Samples are converted in runs: floats of all of them would take four times the memory.
  const convert: SampleArray["convert"] = (bytes) => {
    if (!(bytes instanceof Uint8Array)) throw new Error("images are bytes");
    const values = range === "unit" ? normalized(bytes, normalization) : bytes;
    return layout.channelsFirst ? toChannelsFirst(values, imageShape) : values;
  };
  return {
    settings: { layout: nameOf(layout.channelsFirst), range },
    notes,
    arrays: ({ count, images }) => new Map([[input.name, { shape: [count, ...layout.dims], data: images, convert }]]),
  };
}

const nameOf = (channelsFirst: boolean) => (channelsFirst ? "nchw" : "nhwc");

/** Whether an input takes such images, many at a time or one. */
function fits({ dims }: ImageLayout, { shape }: RuntimeValue): boolean {
  const own = shape.slice(-dims.length);
  const isRank = shape.length === dims.length || shape.length === dims.length + 1;
  return isRank && own.every((size, axis) => typeof size === "string" || size === dims[axis]);
}
