import { rmSync } from "node:fs";
import { join } from "node:path";
import { makeFolder as makeFolders } from "../../core/atomic-file.ts";
import type { Reporter } from "../../core/progress.ts";
import { findPython } from "./build-tools.ts";
import { type CudaWheel, cudaFolder } from "./cuda-wheels.ts";
import { checkSpace, downloadWheel } from "./download.ts";
import { extractZip } from "./extract.ts";
import { type EngineState, stateOf, writeManifest } from "./manifest.ts";
import { makeFolder } from "./part-folder.ts";

/** Of the wheels, those that are not in the cache as they should be, each with what is there. */
export function cudaStates(
  wheels: readonly CudaWheel[],
  { whole = false }: { readonly whole?: boolean } = {},
): readonly { readonly wheel: CudaWheel; readonly state: EngineState }[] {
  return wheels.map((wheel) => ({ wheel, state: stateOf(cudaFolder(wheel), { whole, wheel }) }));
}

export interface FetchOptions {
  readonly reporter: Reporter;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fetches those of the wheels that the cache has not, each into a folder of its own that appears whole: what a stopped
 * set-up has fetched stays.
 *
 * @throws UserError with the cause and its remedy; ForeignFileError for a file that is not the pinned one.
 */
export async function fetchCuda(wheels: readonly CudaWheel[], options: FetchOptions): Promise<void> {
  const lacking = cudaStates(wheels).filter(({ state }) => state.kind !== "whole");
  if (lacking.length === 0) return;
  for (const { state } of lacking)
    if (state.kind === "damaged") options.reporter.info(`a library for GPUs is fetched again: ${state.what}`);
  const python = findPython();
  const missing = lacking.map(({ wheel }) => wheel);
  checkAllSpace(missing);
  const megabytes = Math.round(missing.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6);
  options.reporter.info(`fetching what GPUs need of CUDA 12 and cuDNN 9, under NVIDIA's licences (${megabytes} MB)`);
  for (const wheel of missing) {
    const isWhole = (folder: string) => stateOf(folder, { wheel }).kind === "whole";
    await makeFolder(cudaFolder(wheel), isWhole, (part) => fill(part, wheel, { python, ...options }));
  }
}

/** All of them unpacked, and the largest of the files that they come in. */
function checkAllSpace(wheels: readonly CudaWheel[]): void {
  const folder = cudaFolder();
  makeFolders(folder);
  const unpacked = wheels.reduce((sum, { unpackedBytes }) => sum + unpackedBytes, 0);
  checkSpace(unpacked + Math.max(...wheels.map(({ bytes }) => bytes)), folder);
}

async function fill(
  folder: string,
  wheel: CudaWheel,
  { python, reporter, signal }: FetchOptions & { readonly python: string },
): Promise<void> {
  const downloads = join(folder, "download");
  const archive = await downloadWheel(wheel, { python, folder: downloads, reporter, signal });
  const files = await extractZip(archive, folder, placeInCuda);
  rmSync(downloads, { recursive: true });
  writeManifest(folder, wheel, files);
}

/** Where an entry of NVIDIA's wheels goes in the wheel's folder; null for headers and other tools. */
export function placeInCuda(entry: string): string | null {
  const kept = /^nvidia\/\w+\/(lib\/lib[^/]+\.so[^/]*|bin\/ptxas|nvvm\/libdevice\/[^/]+\.bc)$/.exec(entry)?.[1];
  return kept ?? /^[^/]+\.dist-info\/(?:licenses\/)?(License\.txt)$/.exec(entry)?.[1] ?? null;
}
