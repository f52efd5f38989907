import { permutation, uniforms } from "../../src/core/random.ts";
import { networkNames } from "../../src/network/zoo/index.ts";

/** [height, width, channels]. */
type ImageShape = readonly [number, number, number];

/** What all cases of one comparison train on. */
export interface Workload {
  readonly network: (typeof networkNames)[number];
  readonly batch: number;
  readonly imageShape: ImageShape;
  readonly classes: number;
  /** uint8, [batch, height, width, channels]. */
  readonly pixels: Uint8Array;
  /** Class of each image. */
  readonly labels: Int32Array;
}

const CLASSES = 10;
const mnist = [28, 28, 1] as const;
const cifar = [32, 32, 3] as const;

const imageNet = [224, 224, 3] as const;

/** What networks are trained on and with, where that is not CIFAR-10 and 128 images. */
const usual: { readonly [N in Workload["network"]]?: { readonly image?: ImageShape; readonly batches?: number[] } } = {
  lenet5: { image: mnist },
  vgg7: { batches: [32, 128] },
  resnet18: { image: imageNet, batches: [16] },
  mobilenetv2: { image: imageNet, batches: [16] },
  "mobilenetv3-small": { image: imageNet, batches: [16] },
  autoencoder: { image: mnist },
  "ds-cnn": { image: [49, 10, 1] },
  "mobilenetv1-0.25": { image: [96, 96, 3], batches: [32] },
};

/** Every network of the zoo at its usual batches, or one of them at one. */
export function workloads({ network, batch }: { network?: string; batch?: number }): Workload[] {
  const names = networkNames.filter((name) => network === undefined || name === network);
  if (names.length === 0) throw new Error(`--network ${network}: the zoo has ${networkNames.join(", ")}`);
  return names.flatMap((name) => {
    const batches = batch !== undefined ? [batch] : (usual[name]?.batches ?? [128]);
    return batches.map((size) => createWorkload(name, size));
  });
}

/** Random but fixed data: what a step costs does not depend on what the images show. */
export function createWorkload(network: Workload["network"], batch: number): Workload {
  const imageShape = usual[network]?.image ?? cifar;
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
