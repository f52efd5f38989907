import { constants } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../core/errors.ts";
import { setUpCommand } from "../../core/set-up-command.ts";
import { cudaStates } from "./cuda.ts";
import { type CudaWheel, cudaFolder } from "./cuda-wheels.ts";
import { driverLibrary, driverText, driverVersion, isOlder, oldestDriver } from "./driver.ts";

/** What is asked of a machine; tests bring their own. */
export interface GpuMachine {
  /** Why the loader does not find a library, by its name or its path; null: it does. */
  readonly problem: (library: string) => string | null;
  /** What NVIDIA's driver says of itself; null: there is none. */
  readonly driver: () => string | null;
}

export const thisMachine: GpuMachine = { problem: loaderProblem, driver: driverText };

/** Why the loader of this machine does not find a library; null: it does. */
export function loaderProblem(library: string): string | null {
  try {
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_LAZY);
    return null;
  } catch (error) {
    const words = messageOf(error);
    // What Node says of a library that was loaded and is no module of its own.
    return words.includes("did not self-register") ? null : words;
  }
}

/** Whether the loader finds each library that TensorFlow opens, without the cache. */
export const systemHasCuda = (wheels: readonly CudaWheel[], { problem }: GpuMachine = thisMachine): boolean =>
  wheels.flatMap(({ opens }) => opens).every((library) => problem(library) === null);

/**
 * Why no GPU is used, each missing part with its remedy; none where all of it is there.
 *
 * @param wheels With the libraries that TensorFlow opens.
 */
export function gpuProblems(wheels: readonly CudaWheel[], machine: GpuMachine = thisMachine): readonly string[] {
  return [driverProblem(machine), cudaProblem(wheels, machine)].filter((found) => found !== null);
}

function driverProblem({ problem, driver }: GpuMachine): string | null {
  const install = `install the driver of this GPU, ${oldestDriver} or newer`;
  if (problem(driverLibrary) !== null)
    return `NVIDIA's driver is missing: the loader does not find ${driverLibrary}; ${install}`;
  const version = driverVersion(driver() ?? "");
  if (version === null || !isOlder(version, oldestDriver)) return null;
  return `NVIDIA's driver ${version} is too old for CUDA 12: ${install}`;
}

function cudaProblem(wheels: readonly CudaWheel[], { problem }: GpuMachine): string | null {
  const setUp = `BAYESIAN_BITS_DEVICE=gpu ${setUpCommand()}`;
  const states = cudaStates(wheels);
  const damaged = states.find(({ state }) => state.kind === "damaged")?.state;
  if (damaged?.kind === "damaged") return `a library for GPUs is damaged: ${damaged.what}; run ${setUp}`;
  const missing = states.flatMap(({ wheel, state }) =>
    wheel.opens.filter((name) => {
      const path = join(cudaFolder(wheel), "lib", name);
      return (state.kind === "missing" || problem(path) !== null) && problem(name) !== null;
    }),
  );
  if (missing.length === 0) return null;
  return `libraries of CUDA 12 and cuDNN 9 are missing: the loader does not find ${missing.join(", ")}; run ${setUp}, which fetches them, or put the folders that hold them on LD_LIBRARY_PATH`;
}

/** Where the libraries are that TensorFlow opens, for `doctor`. */
export function whereCudaIs(wheels: readonly CudaWheel[]): string {
  const isFetched = cudaStates(wheels).every(({ state }) => state.kind === "whole");
  return isFetched ? `those that the set-up has fetched, in ${cudaFolder()}` : "those that the loader finds";
}
