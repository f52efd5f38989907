import { exitCodes, messageOf, UserError } from "../../core/errors.ts";
import type { Reporter } from "../../core/progress.ts";
import { setUpCommand } from "../../core/set-up-command.ts";
import { type BuildOptions, buildFromWheel } from "./build.ts";
import { fetchCuda } from "./cuda.ts";
import { ForeignFileError } from "./download.ts";
import { systemHasCuda } from "./gpu-libraries.ts";
import {
  askedEngine,
  type EngineLocation,
  type EngineSources,
  engineSources,
  findNative,
  isForGpu,
  isOtherThanAsked,
  locateEngine,
} from "./locate.ts";
import { linkIntoPackage } from "./package-binding.ts";
import { probeBinding } from "./probe.ts";

export interface ProvisionOptions extends Omit<BuildOptions, "probe"> {
  readonly sources?: EngineSources;
  readonly probe?: BuildOptions["probe"];
  /** Whether CUDA is installed on this system. */
  readonly hasCuda?: typeof systemHasCuda;
}

/**
 * Makes sure of an engine, best first: the native one that is there, a build from TensorFlow's wheel, WebAssembly. The
 * step down is one warning that names the remedy. An engine for GPUs gets NVIDIA's libraries too, unless the system has
 * them. Nothing is run that no pinned hash vouches for: the npm package's own installer fetches TensorFlow without one, and
 * is never called.
 *
 * @throws UserError when the wheel has another hash than the pinned one, BAYESIAN_BITS_ENGINE is native and no native engine can be had, or when stopped by `signal`.
 */
export async function provisionEngine({
  reporter,
  signal,
  sources = engineSources(),
  probe = probeBinding,
  hasCuda = systemHasCuda,
}: ProvisionOptions): Promise<EngineLocation> {
  if (askedEngine() !== "wasm") {
    const { engine, damage } = findNative(sources, { whole: true });
    if (damage !== null) reporter.info(`the engine is damaged and is built again: ${damage}`);
    if (engine === null || damage !== null) await obtain(sources, { reporter, signal, probe });
    else if (isOtherThanAsked(engine)) await improve(sources, { reporter, signal, probe });
  }
  const location = locateEngine(sources);
  if (location.kind === "native") {
    link(location.binding, sources, reporter);
    if (isForGpu(sources) && !hasCuda(sources.cuda)) await provideCuda(sources, { reporter, signal });
  }
  return location;
}

/** From no native engine to the best that can be had. */
async function obtain(sources: EngineSources, options: BuildOptions): Promise<void> {
  const { reporter, signal } = options;
  try {
    await buildFromWheel(sources, options);
  } catch (error) {
    refuseToGoOn(signal);
    if (error instanceof ForeignFileError) throw error;
    const failure = `the native engine was not built: ${messageOf(error)}`;
    if (askedEngine() === "native")
      throw new UserError(`BAYESIAN_BITS_ENGINE=native, but there is no native engine: ${failure}`, { cause: error });
    reporter.warn(
      `${failure}. Training uses WebAssembly, some 20 times slower: remedy the cause, then run ${setUpCommand()} (BAYESIAN_BITS_ENGINE=wasm keeps WebAssembly and asks no more)`,
    );
  }
}

/** From a build without the kernels that were asked for to one that has them. */
async function improve(sources: EngineSources, options: BuildOptions): Promise<void> {
  try {
    await buildFromWheel(sources, options);
  } catch (error) {
    refuseToGoOn(options.signal);
    if (error instanceof ForeignFileError) throw error;
    options.reporter.warn(`the engine for GPUs was not built: ${messageOf(error)}. The one that is there stays`);
  }
}

/** The libraries that a GPU needs, where the system has none; without them the engine computes on the processor. */
async function provideCuda({ cuda }: EngineSources, options: Omit<BuildOptions, "probe">): Promise<void> {
  try {
    await fetchCuda(cuda, options);
  } catch (error) {
    refuseToGoOn(options.signal);
    if (error instanceof ForeignFileError) throw error;
    options.reporter.warn(
      `the libraries for GPUs were not fetched: ${messageOf(error)}. Training uses the processor: remedy the cause, then run ${setUpCommand()} again (BAYESIAN_BITS_DEVICE=cpu asks for none)`,
    );
  }
}

/** Who stops a set-up wants no other way tried. */
function refuseToGoOn(signal?: AbortSignal): void {
  if (!signal?.aborted) return;
  const exitCode = signal.reason === "SIGTERM" ? exitCodes.terminated : exitCodes.interrupted;
  throw new UserError(`the set-up was stopped; what it had begun is removed: run ${setUpCommand()} to do it again`, {
    exitCode,
  });
}

function link(binding: string, { package: folder }: EngineSources, reporter: Reporter): void {
  try {
    if (folder !== null) linkIntoPackage(binding, folder);
  } catch (error) {
    reporter.info(`other programs will not find the engine in ${folder}: ${messageOf(error)}`);
  }
}
