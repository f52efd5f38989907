import type { DataSettings } from "../config/sections/data-settings.ts";
import { at } from "../core/elements.ts";
import { UsageError } from "../core/errors.ts";
import type { Model } from "../onnx/onnx-model.ts";
import { type DeclaredSize, declaredTensor } from "../onnx/value-info.ts";

type FolderSettings = Extract<DataSettings, { name: "folder" }>;

/**
 * A folder of images as a data section says it, with the size and the channels that the model's input has.
 *
 * @throws UsageError where the model's inputs are no image.
 */
export function folderData(model: Model, folder: string): FolderSettings {
  const { graph } = model;
  const weights = new Set(graph.initializer.map(({ name }) => name));
  const inputs = graph.input.filter(({ name }) => !weights.has(name));
  const [input] = inputs;
  const shape = inputs.length === 1 && input ? (declaredTensor(input)?.shape ?? null) : null;
  const found = shape && imageOf(shape);
  if (found) return { name: "folder", folder, ...found };
  const names = inputs.map((one) => `"${one.name}" [${(declaredTensor(one)?.shape ?? []).map((size) => size ?? "?")}]`);
  throw new UsageError(
    `--data ${folder}: images are for one input that is an image, and the file has ${names.join(", ") || "none"}: give a .npz with an array for each`,
  );
}

/** What an input says of its images; null: it takes none. Sizes that it leaves open are left out. */
function imageOf(shape: readonly DeclaredSize[]): Pick<FolderSettings, "size" | "channels"> | null {
  const known = shape.map((size) => (typeof size === "number" && size > 0 ? size : null));
  // Without a batch an image has three axes, and a batch of gray images too: a first size of 1 or 3 are channels.
  const isAlone = known.length === 3 && isChannels(at(known, 0));
  const dims = isAlone ? known : known.slice(1);
  if (dims.length === 3) {
    const isFirst = isChannels(at(dims, 0)) || !isChannels(at(dims, 2));
    const channels = at(dims, isFirst ? 0 : 2);
    if (channels !== null && !isChannels(channels)) return null;
    return { ...sized(isFirst ? dims.slice(1) : dims.slice(0, 2)), channels: channels ?? 3 };
  }
  if (dims.length === 2) return { ...sized(dims), channels: 1 };
  const side = Math.sqrt(dims[0] ?? Number.NaN);
  return dims.length === 1 && Number.isInteger(side) ? { size: [side, side], channels: 1 } : null;
}

const isChannels = (size: number | null): size is 1 | 3 => size === 1 || size === 3;

function sized([height, width]: readonly (number | null)[]): Pick<FolderSettings, "size"> {
  return height != null && width != null ? { size: [height, width] } : {};
}
