import type { Scalar, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import type { Architecture } from "../architectures.ts";
import { type BenchCase, timed } from "../bench-case.ts";
import type { Workload } from "../workload.ts";
import type { Tfjs } from "./load-tfjs.ts";

/** The FP32 step as a user of tfjs writes it: a layers model, tf.train.adam, a loss of tf.losses. */
export function createTfjsFp32(tf: Tfjs, { imageShape, classes, ...data }: Workload, network: Architecture): BenchCase {
  const model = tf.sequential();
  model.add(tf.layers.inputLayer({ inputShape: [...imageShape] }));
  let flat = false;
  network.layers.forEach((layer, index) => {
    if (layer.kind === "conv") {
      model.add(tf.layers.conv2d({ filters: layer.outputs, kernelSize: layer.kernel, padding: layer.padding }));
    } else {
      if (!flat) model.add(tf.layers.flatten());
      flat = true;
      model.add(tf.layers.dense({ units: layer.outputs }));
    }
    if (index === network.layers.length - 1) return;
    if (network.batchNorm) model.add(tf.layers.batchNormalization({ momentum: 0.9, epsilon: 1e-5 }));
    model.add(tf.layers.reLU());
    if (layer.kind === "conv" && layer.pool) model.add(tf.layers.maxPooling2d({ poolSize: 2 }));
  });
  const images = tf.tidy(() => tf.tensor4d(Float32Array.from(data.pixels), [data.batch, ...imageShape]).div(255));
  const labels = tf.tidy(() => tf.oneHot(tf.tensor1d(data.labels, "int32"), classes));
  const optimizer = tf.train.adam(1e-3);
  const loss = () => {
    const logits = model.apply(images, { training: true }) as Tensor2D;
    return tf.losses.softmaxCrossEntropy(labels, logits) as Scalar;
  };
  return {
    run: timed(() => {
      const value = optimizer.minimize(loss, true)!;
      value.dataSync();
      value.dispose();
    }),
    dispose() {
      model.dispose();
      optimizer.dispose();
      tf.dispose([images, labels]);
    },
  };
}
