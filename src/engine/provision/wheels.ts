/** A TensorFlow wheel of the Python package index that carries the C library and its headers. */
export interface Wheel {
  readonly project: string;
  readonly version: string;
  readonly platform: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** The Python of the pinned wheels; the local Python does not matter, only its pip. */
export const pythonTag = { version: "3.11", implementation: "cp" } as const;

/** Wheels by `process.platform`-`process.arch`, those whose checksum was verified. */
export const wheels: Readonly<Record<string, Wheel>> = {
  "linux-x64": {
    project: "tensorflow-cpu",
    version: "2.21.0",
    platform: "manylinux_2_27_x86_64",
    sha256: "2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c",
    bytes: 273_829_956,
  },
};
