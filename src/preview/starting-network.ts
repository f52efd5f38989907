import { UserError } from "../core/errors.ts";
import { programWords } from "../core/program-words.ts";
import { shellWord } from "../core/shell-word.ts";
import type { ImageShape } from "../data/dataset.ts";
import { layersOf } from "../network/layers.ts";
import { loadNetwork } from "../network/load-network.ts";
import type { NetworkName } from "../network/zoo/index.ts";
import type { Model } from "../onnx/onnx-model.ts";

/** The section `network` of a configuration. */
export type NetworkSource = { readonly name: NetworkName } | { readonly file: string };

/** What a network is, in figures. */
export interface NetworkFigures {
  readonly source: NetworkSource;
  readonly inputShape: ImageShape;
  readonly outputs: number;
  readonly layers: number;
  readonly parameters: number;
  readonly macs: number;
  /** How many nodes of each operator a file has, most first. */
  readonly operators: Readonly<Record<string, number>> | null;
}

/** Images of this side or less are for networks with few layers between them and the classes. */
const TINY = 28;
/** Up to this side a network for CIFAR takes them whole. */
const SMALL = 64;

/** A network of the zoo for images of a size, where nobody has one of their own. */
export function usualNetwork([height, width, channels]: ImageShape): NetworkName {
  const side = Math.max(height, width);
  if (side > SMALL) return "resnet18";
  return side <= TINY && Math.min(height, width) >= 16 && channels === 1 ? "lenet5" : "resnet20";
}

/**
 * What a network is, taken over from its file or out of the zoo.
 *
 * @param data Where its images lie, as the user named it; null where that is no folder.
 * @throws UserError where its file cannot be taken over, with the command that takes any file.
 */
export function figuresOf(
  source: NetworkSource,
  { inputShape, outputs }: Pick<NetworkFigures, "inputShape" | "outputs">,
  { model, folder }: { readonly model: Model | null; readonly folder: string | null },
): NetworkFigures {
  const layers = layersOf(load(source, { inputShape, classes: outputs }, folder));
  const sum = (of: (layer: (typeof layers)[number]) => number) => layers.reduce((total, one) => total + of(one), 0);
  return {
    ...{ source, inputShape, outputs, layers: layers.length },
    parameters: sum(({ parameters }) => parameters),
    macs: sum(({ macs }) => macs),
    operators: model && operatorsOf(model),
  };
}

function load(source: NetworkSource, data: Parameters<typeof loadNetwork>[1], folder: string | null) {
  try {
    return loadNetwork(source, data).network;
  } catch (error) {
    if (!(error instanceof UserError) || "name" in source) throw error;
    throw new UserError(
      `${error.message}\nTraining needs all of it; quantizing without training takes any ONNX file:\n  ${quantizeCommand(source.file, folder)}`,
      { exitCode: error.exitCode, cause: error },
    );
  }
}

/** The command that quantizes a file without training. */
export const quantizeCommand = (file: string, folder: string | null): string =>
  `${programWords()} quantize ${shellWord(file)}${folder === null ? "" : ` --data ${shellWord(folder)}`}`;

function operatorsOf({ graph }: Model): NetworkFigures["operators"] {
  const counts = new Map<string, number>();
  for (const { opType } of graph.node) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  return Object.fromEntries([...counts].toSorted(([, a], [, b]) => b - a));
}
