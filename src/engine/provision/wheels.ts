import { UsageError } from "../../core/errors.ts";

/** One file of the Python package index. */
export interface PinnedWheel {
  readonly project: string;
  readonly version: string;
  /** Tags of the file name; the local Python does not matter, only its pip. */
  readonly python: string;
  readonly platformTag: string;
  readonly file: string;
  /** Of the file, in lower-case hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
  /** Of what is kept of it. */
  readonly unpackedBytes: number;
}

/** A TensorFlow wheel, which carries the C library and its headers. */
export interface Wheel extends PinnedWheel {
  /** The device whose kernels it brings; one for GPUs runs on processors too. */
  readonly device: "cpu" | "gpu";
}

const common = { version: "2.21.0", python: "3.11" } as const;

/** By `process.platform`-`process.arch`; only files that were fetched and hashed are listed. */
export const wheels: Readonly<Record<string, readonly Wheel[]>> = {
  "linux-x64": [
    {
      ...common,
      project: "tensorflow-cpu",
      device: "cpu",
      platformTag: "manylinux_2_27_x86_64",
      file: "tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl",
      sha256: "2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c",
      bytes: 273_829_956,
      unpackedBytes: 853_308_936,
    },
    {
      ...common,
      project: "tensorflow",
      device: "gpu",
      platformTag: "manylinux_2_27_x86_64",
      file: "tensorflow-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl",
      sha256: "9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124",
      bytes: 572_440_367,
      unpackedBytes: 1_259_021_080,
    },
  ],
  "linux-arm64": [
    {
      ...common,
      project: "tensorflow",
      device: "cpu",
      platformTag: "manylinux_2_27_aarch64",
      file: "tensorflow-2.21.0-cp311-cp311-manylinux_2_27_aarch64.whl",
      sha256: "4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c",
      bytes: 281_828_020,
      unpackedBytes: 883_062_208,
    },
  ],
  "darwin-arm64": [
    {
      ...common,
      project: "tensorflow",
      device: "cpu",
      platformTag: "macosx_12_0_arm64",
      file: "tensorflow-2.21.0-cp311-cp311-macosx_12_0_arm64.whl",
      sha256: "51f46f4806139d01fc7920cc72a4c75876f80649bf40ff083ab6212ceb43ca88",
      bytes: 223_405_849,
      unpackedBytes: 740_805_624,
    },
  ],
};

export const platform = `${process.platform}-${process.arch}`;

/** Wheels for `on`, the one with kernels for `device` first; none where no wheel is known. */
export function wheelsFor(device: "cpu" | "gpu", on: string = platform): readonly Wheel[] {
  const known = wheels[on] ?? [];
  return [...known.filter((wheel) => wheel.device === device), ...known.filter((wheel) => wheel.device !== device)];
}

/**
 * The device that `BAYESIAN_BITS_DEVICE` asks for (cpu, gpu or auto).
 *
 * @throws UsageError for any other value.
 */
export function askedDevice(): "auto" | "cpu" | "gpu" {
  const value = process.env.BAYESIAN_BITS_DEVICE || "auto";
  if (value === "auto" || value === "cpu" || value === "gpu") return value;
  throw new UsageError(`BAYESIAN_BITS_DEVICE: expected auto, cpu or gpu, got ${JSON.stringify(value)}`);
}
