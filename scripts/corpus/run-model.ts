import type { Tensor } from "onnxruntime-node";
import { messageOf } from "../../src/core/errors.ts";
import { lookup } from "../../src/core/lookup.ts";
import { ort } from "../../src/core/onnx-runtime.ts";
import { elementBytes } from "../../src/data/formats/numpy/npy.ts";
import { type NpyArray, NpzFile } from "../../src/data/formats/numpy/npz.ts";
import type { Port } from "./describe-model.ts";

/** What onnxruntime-node does with a model. */
export interface Outcome {
  readonly loads: boolean;
  /** Whether it runs on the first samples; null where there are none. */
  readonly runs: boolean | null;
  /** Whether every float that comes out is a finite number. */
  readonly finite: boolean | null;
  /** onnxruntime's own words. */
  readonly error: string | null;
  /** By output: the shape for one sample. */
  readonly outputs: Readonly<Record<string, readonly number[]>>;
}

const sampled = 4;

/** Loads a model and, where `data` has inputs for it, runs some samples one by one. */
export async function runModel(path: string, inputs: readonly Port[], data: string | null): Promise<Outcome> {
  const outputs: Record<string, readonly number[]> = {};
  let loads = false;
  let finite = true;
  try {
    const session = await ort.InferenceSession.create(path, { intraOpNumThreads: 1, logSeverityLevel: 3 });
    loads = true;
    if (data === null) return { loads, runs: null, finite: null, error: null, outputs };
    const arrays = await readArrays(data);
    for (let sample = 0; sample < sampled; sample++) {
      const feeds = inputs.map((port) => [port.name, sampleOf(lookup(arrays, port.name), port, sample)]);
      for (const [name, tensor] of Object.entries(await session.run(Object.fromEntries(feeds)))) {
        outputs[name] = tensor.dims;
        if (tensor.data instanceof Float32Array) finite &&= tensor.data.every(Number.isFinite);
      }
    }
    await session.release();
    return { loads, runs: true, finite, error: null, outputs };
  } catch (error) {
    return { loads, runs: loads ? false : null, finite: null, error: messageOf(error), outputs };
  }
}

/** The arrays of an npz file by name. */
export async function readArrays(path: string): Promise<ReadonlyMap<string, NpyArray>> {
  const file = await NpzFile.open(path);
  try {
    const arrays = new Map<string, NpyArray>();
    for (const name of file.names) arrays.set(name, await file.read(name, ({ type }) => elementBytes(type)));
    return arrays;
  } finally {
    file.close();
  }
}

/**
 * One sample for an input. An array of the input's rank is cut along its first axis; one of a rank more holds each
 * sample's whole input.
 */
function sampleOf({ shape, type, bytes, place }: NpyArray, port: Port, sample: number): Tensor {
  const [samples = 0, ...rest] = shape;
  const dims = shape.length === port.shape.length + 1 ? rest : [1, ...rest];
  if (dims.length !== port.shape.length) throw new Error(`${place} has shape [${shape}], ${port.name} [${port.shape}]`);
  const length = bytes.length / samples;
  // A copy: typed arrays begin at multiples of their elements' size.
  const { buffer } = bytes.slice(sample * length, (sample + 1) * length);
  switch (type) {
    case "<f4":
      return new ort.Tensor("float32", new Float32Array(buffer), dims);
    case "<i8":
      return new ort.Tensor("int64", new BigInt64Array(buffer), dims);
    case "<i4":
      return new ort.Tensor("int32", new Int32Array(buffer), dims);
    case "|b1":
      return new ort.Tensor("bool", new Uint8Array(buffer), dims);
    default:
      throw new Error(`${place} is of type ${type}`);
  }
}
