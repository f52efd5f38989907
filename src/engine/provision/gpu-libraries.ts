import { constants } from "node:os";
import { messageOf } from "../../core/errors.ts";

/** Shared libraries that TensorFlow's kernels for a GPU load: NVIDIA's driver, then CUDA 12 and cuDNN 9. */
export const gpuLibraries = {
  driver: ["libcuda.so.1"],
  cuda: [
    "libcudart.so.12",
    "libcublas.so.12",
    "libcublasLt.so.12",
    "libcufft.so.11",
    "libcusolver.so.11",
    "libcusparse.so.12",
    "libcudnn.so.9",
  ],
} as const;

/** Why the loader does not find a library; null: it does. */
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

/**
 * Why no GPU is used, each missing part with its remedy; none where all of it is there.
 *
 * @param problem As {@link loaderProblem}.
 */
export function gpuProblems(problem: (library: string) => string | null = loaderProblem): readonly string[] {
  const missing = (libraries: readonly string[]) => libraries.filter((library) => problem(library) !== null);
  const [driver, cuda] = [missing(gpuLibraries.driver), missing(gpuLibraries.cuda)];
  return [
    ...(driver.length > 0
      ? [`NVIDIA's driver is missing: the loader does not find ${driver.join(", ")}; install the driver of this GPU`]
      : []),
    ...(cuda.length > 0
      ? [
          `libraries of CUDA 12 and cuDNN 9 are missing: the loader does not find ${cuda.join(", ")}; put the folders that hold them on LD_LIBRARY_PATH`,
        ]
      : []),
  ];
}
