import type { Scalar, Tensor, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import type { Architecture } from "../architectures.ts";
import { type BenchCase, timed } from "../bench-case.ts";
import type { Workload } from "../workload.ts";
import type { Tfjs } from "./load-tfjs.ts";
import { gates2To8 } from "./ours.ts";
import { TapeLayer } from "./tape-layer.ts";

/** The paper ported directly: plain ops of tfjs, their gradients from the tape, tf.train.adam for everything. */
export function createSequentialTape(
  tf: Tfjs,
  { imageShape, classes, ...data }: Workload,
  { batchNorm, layers }: Architecture,
): BenchCase {
  const macs = multiplyAccumulates(layers, imageShape);
  const largest = Math.max(...macs.map(({ macs }) => macs));
  const { initial } = gates2To8;
  const network = layers.map(
    (layer, index) =>
      new TapeLayer(tf, {
        name: `layer${index}`,
        layer,
        inputs: macs[index]!.inputs,
        batchNorm,
        last: index === layers.length - 1,
        macShare: macs[index]!.macs / largest,
        initial,
      }),
  );
  const images = tf.tidy(() => tf.tensor4d(Float32Array.from(data.pixels), [data.batch, ...imageShape]).div(255));
  const labels = tf.tidy(() => tf.oneHot(tf.tensor1d(data.labels, "int32"), classes));
  const optimizer = tf.train.adam(1e-3);
  const loss = () => {
    const logits = network.reduce<Tensor>((x, layer) => layer.forward(x), images);
    const crossEntropy = tf.losses.softmaxCrossEntropy(labels, logits as Tensor2D);
    const complexity = tf.addN(network.map((layer) => layer.complexity()));
    return tf.add(crossEntropy, tf.mul(0.01, complexity)) as Scalar;
  };
  return {
    run: timed(() => {
      const value = optimizer.minimize(loss, true)!;
      value.dataSync();
      value.dispose();
    }),
    dispose() {
      for (const layer of network) layer.dispose();
      optimizer.dispose();
      tf.dispose([images, labels]);
    },
  };
}

/** Input channels (units) of each layer, and its multiply-accumulates for one image. */
function multiplyAccumulates(layers: Architecture["layers"], [height, width, channels]: Workload["imageShape"]) {
  let [rows, columns, inputs] = [height, width, channels];
  return layers.map((layer) => {
    if (layer.kind === "dense") {
      const units = rows * columns * inputs;
      [rows, columns, inputs] = [1, 1, layer.outputs];
      return { inputs: units, macs: units * layer.outputs };
    }
    const lost = layer.padding === "valid" ? layer.kernel - 1 : 0;
    [rows, columns] = [rows - lost, columns - lost];
    const result = { inputs, macs: rows * columns * layer.kernel ** 2 * inputs * layer.outputs };
    inputs = layer.outputs;
    if (layer.pool) [rows, columns] = [Math.floor(rows / 2), Math.floor(columns / 2)];
    return result;
  });
}
