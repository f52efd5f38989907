import { existsSync, lstatSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { cacheFolder } from "../../core/cache-folder.ts";
import { UsageError, UserError } from "../../core/errors.ts";
import { setUpCommand } from "../../core/set-up-command.ts";
import { type CudaWheel, cudaWheelsFor } from "./cuda-wheels.ts";
import { hasNvidiaDriver } from "./driver.ts";
import { stateOf } from "./manifest.ts";
import { askedDevice, platform, type Wheel, wheelsFor } from "./wheels.ts";

/** Which engine a start of the program finds, without fetching anything. */
export type EngineLocation =
  | { readonly kind: "native"; readonly binding: string; readonly reason: string }
  | { readonly kind: "wasm"; readonly reason: string };

/** What engines are made of; tests bring their own. */
export interface EngineSources {
  /** The wanted one first. */
  readonly wheels: readonly Wheel[];
  /** Root of the package whose C++ source the engine is built from; null when it is not installed. */
  readonly package: string | null;
  /** With the libraries that an engine for GPUs loads. */
  readonly cuda: readonly CudaWheel[];
}

export const bindingName = "tfjs_binding.node";

/** The sources for this machine: kernels for a GPU where there is an NVIDIA driver or BAYESIAN_BITS_DEVICE asks for it. */
export function engineSources(): EngineSources {
  const asked = askedDevice();
  const device = asked === "auto" ? (hasNvidiaDriver() ? "gpu" : "cpu") : asked;
  return { wheels: wheelsFor(device), package: packageFolder(), cuda: cudaWheelsFor() };
}

function packageFolder(): string | null {
  try {
    return dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-node-gpu/package.json"));
  } catch {
    return null;
  }
}

/** Raised when the kernels of ../native/kernels.cc change what they take or give, or how they are compiled. */
const kernelsRevision = 5;

/** Folder of the engine that is built from `wheel`. Its name says all that it depends on. */
export const engineFolder = ({ project, version }: Wheel): string =>
  cacheFolder("engine", `${project}-${version}-${platform}-napi8-kernels${kernelsRevision}`);

/** Where the package itself looks for its binding. */
export const packageBinding = (folder: string): string => join(folder, "lib", "napi-v8", bindingName);

/**
 * What the user asks for in BAYESIAN_BITS_ENGINE.
 *
 * @throws UsageError for anything but auto, native and wasm.
 */
export function askedEngine(): "auto" | "native" | "wasm" {
  const value = process.env.BAYESIAN_BITS_ENGINE || "auto";
  if (value === "auto" || value === "native" || value === "wasm") return value;
  throw new UsageError(`BAYESIAN_BITS_ENGINE: expected auto, native or wasm, got ${JSON.stringify(value)}`);
}

export interface NativeEngine {
  readonly binding: string;
  /** The wheel it was built from; null for the package's own. */
  readonly wheel: Wheel | null;
}

/** What is found of native engines. */
export interface FoundEngine {
  readonly engine: NativeEngine | null;
  /** What is wrong with one that would have been taken before it; null: nothing. */
  readonly damage: string | null;
}

/**
 * The native engine that is there: built from a wheel (the wanted one first), then the package's own.
 *
 * @param whole Whether its files are compared with their hashes (some seconds), and not with sizes and times alone.
 */
export function findNative(sources: EngineSources, { whole = false }: { readonly whole?: boolean } = {}): FoundEngine {
  let damage: string | null = null;
  for (const wheel of sources.wheels) {
    const folder = engineFolder(wheel);
    const state = stateOf(folder, { whole });
    if (state.kind === "whole") return { engine: { binding: join(folder, bindingName), wheel }, damage };
    if (state.kind === "damaged") damage ??= state.what;
  }
  const own = sources.package && packageBinding(sources.package);
  return { engine: own && isInstalled(own) ? { binding: own, wheel: null } : null, damage };
}

/** A link there is the set-up's own, to an engine of some cache: only a file was installed by the package. */
export const isInstalled = (own: string): boolean =>
  existsSync(own) && !lstatSync(own).isSymbolicLink() && statSync(own).size > 0;

/**
 * The engine that is there, native before WebAssembly. Takes a millisecond.
 *
 * @throws UsageError for a wrong BAYESIAN_BITS_ENGINE; UserError when it says native and there is none.
 */
export function locateEngine(sources: EngineSources = engineSources()): EngineLocation {
  const asked = askedEngine();
  if (asked === "wasm") return { kind: "wasm", reason: "BAYESIAN_BITS_ENGINE=wasm" };
  const { engine, damage } = findNative(sources);
  if (engine !== null) {
    const damaged = damage === null ? "" : `; another is damaged (${damage})`;
    return { kind: "native", binding: engine.binding, reason: `${reasonOf(engine, sources)}${damaged}` };
  }
  const none = sources.wheels.length === 0 ? `no TensorFlow wheel is known for ${platform}` : "none has been set up";
  const why = damage === null ? none : `it is damaged: ${damage}`;
  if (asked === "native") {
    throw new UserError(`BAYESIAN_BITS_ENGINE=native, but there is no native engine: ${why}; run ${setUpCommand()}`);
  }
  return { kind: "wasm", reason: `no native engine: ${why}; run ${setUpCommand()}` };
}

function reasonOf({ wheel }: NativeEngine, { wheels: [wanted] }: EngineSources): string {
  if (wheel === null) return "the binding of @tensorflow/tfjs-node-gpu is installed";
  const built = `built from the wheel ${wheel.project} ${wheel.version}`;
  if (wheel.device === wanted?.device) return built;
  return `${built}; for ${wanted?.device} kernels run BAYESIAN_BITS_DEVICE=${wanted?.device} ${setUpCommand()}`;
}

/** A build without the kernels that were asked for by name is not enough; one that is merely less than wished is. */
export const isOtherThanAsked = ({ wheel }: NativeEngine): boolean =>
  askedDevice() === "gpu" && wheel?.device !== "gpu";

/** Whether the engine that is there is for GPUs, and one for GPUs is wanted. */
export const isForGpu = (sources: EngineSources): boolean =>
  sources.wheels[0]?.device === "gpu" && findNative(sources).engine?.wheel?.device === "gpu";
