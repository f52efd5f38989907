import { basename, extname } from "node:path";
import { first } from "../core/elements.ts";
import { messageOf, UsageError } from "../core/errors.ts";
import { tuple } from "../core/tuple.ts";
import type { Network } from "../kinds/index.ts";
import type { InitialValues } from "./initial-values.ts";
import type { FileLayout } from "./onnx/file-inputs.ts";
import type { Head } from "./onnx/file-outputs.ts";
import { importNetwork, type OutputKind, type ValuesAndClasses } from "./onnx/import-network.ts";
import { type NetworkFile, readNetworkFile } from "./onnx/read-network-file.ts";
import { outputShapes } from "./output-shapes.ts";
import { type ImageNetwork, imageNetwork } from "./zoo/index.ts";
import type { TextOptions, ZooOptions } from "./zoo/options.ts";
import { type TextClassifierOptions, textClassifier } from "./zoo/text-classifier.ts";
import { type TextEncoderOptions, textEncoder } from "./zoo/text-encoder.ts";

/** An ONNX file that a network was taken over from. */
export interface ImportedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly layout: FileLayout;
  /** What of the file the network gives, side by side. */
  readonly outputs: readonly Head[];
}

/** A network of the zoo for texts. */
type TextNetwork =
  | ({ readonly name: "text-classifier" } & TextClassifierOptions)
  | ({ readonly name: "text-encoder" } & TextEncoderOptions);

/** Where a network comes from, as configurations have it. */
export type NetworkSource =
  | ImageNetwork
  | TextNetwork
  | { readonly file: string; readonly outputs?: readonly string[] | undefined };

/** The images, texts or other samples that a network is for, and its outputs. */
export type NetworkData = ZooOptions | TextOptions | ValuesAndClasses;

/** What a network for these samples is made for. */
export function networkDataOf(
  {
    imageShape,
    tokens,
    normalization,
  }: {
    readonly imageShape: readonly number[];
    readonly tokens?: { readonly vocabulary: number };
    readonly normalization: unknown;
  },
  classes: number,
): NetworkData {
  if (tokens !== undefined) return { length: first(imageShape), vocabulary: tokens.vocabulary, classes };
  return normalization === null ? { shape: imageShape, classes } : { inputShape: tuple(imageShape, 3), classes };
}

const isOfTexts = (data: NetworkData): data is TextOptions => "vocabulary" in data;

/** A network in float32, without quantizers. */
export interface LoadedNetwork {
  readonly network: Network;
  /** What a file's network starts from; a network of the zoo starts from the seed. */
  readonly initial: InitialValues | undefined;
  readonly file: NetworkFile | null;
}

/**
 * A network of the zoo, or one from an ONNX file, for the data's samples and classes.
 *
 * @param options.outputKind What a file's network is to give; classes if left out.
 * @throws UserError when the file cannot be read, taken over, or is for other data; UsageError when the images are too
 * small for a network of the zoo.
 */
export function loadNetwork(
  source: NetworkSource,
  data: NetworkData,
  { outputKind = "classes" }: { readonly outputKind?: OutputKind } = {},
): LoadedNetwork & { readonly imported: ImportedFile | null } {
  if ("name" in source) return { network: fromZoo(source, data), initial: undefined, file: null, imported: null };
  const { model, bytes, file } = readNetworkFile(source.file);
  const name = basename(source.file, extname(source.file));
  const options = { ...data, file: source.file, name, outputs: source.outputs, outputKind };
  const { layout, outputs, network, initial } = importNetwork(model, options);
  return { network: forData(network, data), initial, file, imported: { path: source.file, bytes, layout, outputs } };
}

function fromZoo(source: Exclude<NetworkSource, { file: string }>, data: NetworkData): Network {
  if (source.name === "text-classifier" || source.name === "text-encoder") {
    if (isOfTexts(data)) return textNetwork(source, data);
    throw new UsageError(
      `network.name: ${source.name} takes texts, and the data are none: take data.name text, or another network`,
    );
  }
  if (isOfTexts(data)) {
    throw new UsageError(
      `network.name: ${source.name} takes images, and the data are texts: take text-classifier or text-encoder`,
    );
  }
  const images = "shape" in data ? { inputShape: asImage(data.shape, source.name), classes: data.classes } : data;
  const network = imageNetwork(source, images);
  requireFitting(network, images);
  return forData(network, data);
}

/** The network, whose input says where it is no pixels. */
const forData = (network: Network, data: NetworkData): Network =>
  "shape" in data
    ? { ...network, nodes: network.nodes.map((node) => (node.kind === "input" ? { ...node, values: true } : node)) }
    : network;

const textNetwork = (source: TextNetwork, data: TextOptions): Network =>
  source.name === "text-classifier" ? textClassifier({ ...data, ...source }) : textEncoder({ ...data, ...source });

/** Values that lie as images do. @throws UsageError of others. */
function asImage(shape: readonly number[], name: string): ZooOptions["inputShape"] {
  if (shape.length === 3) return tuple(shape, 3);
  throw new UsageError(
    `network.name: ${name} takes samples of [height, width, channels], those of the data are [${shape.join(", ")}]: give the array as many axes, or take network.file`,
  );
}

/** Networks of the zoo are whole but for the size of the images that they are built for. */
function requireFitting(network: Network, { inputShape }: ZooOptions): void {
  try {
    outputShapes(network);
  } catch (error) {
    throw new UsageError(
      `network.name: ${network.name} does not take images of ${inputShape.join("×")} (${messageOf(error)}): take larger images, or another network`,
      { cause: error },
    );
  }
}
