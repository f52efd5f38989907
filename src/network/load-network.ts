import { basename, extname } from "node:path";
import { messageOf, UsageError } from "../core/errors.ts";
import type { Network } from "../kinds/index.ts";
import type { InitialValues } from "./initial-values.ts";
import { type FileLayout, importNetwork } from "./onnx/import-network.ts";
import { type NetworkFile, readNetworkFile } from "./onnx/read-network-file.ts";
import { outputShapes } from "./output-shapes.ts";
import { createNetwork, type NetworkName } from "./zoo/index.ts";
import type { ZooOptions } from "./zoo/options.ts";

/** An ONNX file that a network was taken over from. */
export interface ImportedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly layout: FileLayout;
}

/** A network in float32, without quantizers. */
export interface LoadedNetwork {
  readonly network: Network;
  /** What a file's network starts from; a network of the zoo starts from the seed. */
  readonly initial: InitialValues | undefined;
  readonly file: NetworkFile | null;
}

/**
 * A network of the zoo, or one from an ONNX file, for the data's images and classes.
 *
 * @throws UserError when the file cannot be read, taken over, or is for other data; UsageError when the images are too
 * small for a network of the zoo.
 */
export function loadNetwork(
  source: { readonly name: NetworkName } | { readonly file: string },
  data: ZooOptions,
): LoadedNetwork & { readonly imported: ImportedFile | null } {
  if ("name" in source) {
    const network = createNetwork(source.name, data);
    requireFitting(network, data);
    return { network, initial: undefined, file: null, imported: null };
  }
  const { model, bytes, file } = readNetworkFile(source.file);
  const name = basename(source.file, extname(source.file));
  const { layout, ...network } = importNetwork(model, { ...data, file: source.file, name });
  return { ...network, file, imported: { path: source.file, bytes, layout } };
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
