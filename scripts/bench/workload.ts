import { permutation, uniforms } from "../../src/engine/noise.ts";
import { networkNames } from "../../src/network/zoo/index.ts";

/** What all cases of one comparison train on. */
export interface Workload {
  readonly network: (typeof networkNames)[number];
  readonly batch: number;
  /** [height, width, channels]. */
  readonly imageShape: readonly [number, number, number];
  readonly classes: number;
  /** uint8, [batch, height, width, channels]. */
  readonly pixels: Uint8Array;
  /** Class of each image. */
  readonly labels: Int32Array;
}

const CLASSES = 10;
const mnist = [28, 28, 1] as const;
const cifar = [32, 32, 3] as const;

/** VGG-7 is what the smaller batch is for: its convolutions take seconds. */
const usualBatches: Readonly<Record<string, readonly number[]>> = { vgg7: [32, 128] };

/** Every network of the zoo at its usual batches, or one of them at one. */
export function workloads({ network, batch }: { network?: string; batch?: number }): Workload[] {
  const names = networkNames.filter((name) => network === undefined || name === network);
  if (names.length === 0) throw new Error(`--network ${network}: the zoo has ${networkNames.join(", ")}`);
  return names.flatMap((name) => {
    const batches = batch !== undefined ? [batch] : (usualBatches[name] ?? [128]);
    return batches.map((size) => createWorkload(name, size));
  });
}

/** Random but fixed data: what a step costs does not depend on what the images show. */
export function createWorkload(network: Workload["network"], batch: number): Workload {
  const imageShape = network.startsWith("lenet") ? mnist : cifar;
  const count = batch * imageShape[0] * imageShape[1] * imageShape[2];
  const key = (stream: string) => ({ seed: 1, stream, counter: 0 });
  return {
    network,
    batch,
    imageShape,
    classes: CLASSES,
    pixels: Uint8Array.from(uniforms(key("bench/pixels"), count), (u) => 256 * u),
    labels: Int32Array.from(permutation(key("bench/labels"), batch), (index) => index % CLASSES),
  };
}
