import { basename, extname } from "node:path";
import type { Network } from "../kinds/index.ts";
import type { InitialValues } from "./initial-values.ts";
import { type FileLayout, importNetwork } from "./onnx/import-network.ts";
import { type NetworkFile, readNetworkFile } from "./onnx/read-network-file.ts";
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
 * @throws UserError when the file cannot be read, taken over, or is for other data.
 */
export function loadNetwork(
  source: { readonly name: NetworkName } | { readonly file: string },
  data: ZooOptions,
): LoadedNetwork & { readonly imported: ImportedFile | null } {
  if ("name" in source) {
    return { network: createNetwork(source.name, data), initial: undefined, file: null, imported: null };
  }
  const { model, bytes, file } = readNetworkFile(source.file);
  const name = basename(source.file, extname(source.file));
  const { layout, ...network } = importNetwork(model, { ...data, file: source.file, name });
  return { ...network, file, imported: { path: source.file, bytes, layout } };
}
