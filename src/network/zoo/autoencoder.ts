import type { Network } from "../../kinds/index.ts";
import { NetworkBuilder } from "../builder.ts";
import type { ZooOptions } from "./options.ts";

/** Units of the dense layers between input and output. */
const hidden = [128, 128, 128, 128, 8, 128, 128, 128, 128] as const;

/**
 * Anomaly detection of MLPerf Tiny (Banbury et al., 2021, arXiv 2106.07597), there for 640 values of a spectrogram: dense
 * layers, a batch normalization and a ReLU behind each but the last, which gives the input again; without the biases before
 * normalizations, which these make superfluous.
 */
export function autoencoder({ inputShape: [height, width, channels], classes }: ZooOptions): Network {
  const network = new NetworkBuilder();
  let x = network.flatten("flatten", network.input([height, width, channels]));
  let inputs = height * width * channels;
  for (const [index, outputs] of hidden.entries()) {
    const id = `dense${index + 1}`;
    const layer = network.dense(id, x, { inputs, outputs, bias: false });
    x = network.relu(`${id}.relu`, network.batchNorm(`${id}.norm`, layer, { channels: outputs }));
    inputs = outputs;
  }
  return network.build({ name: "autoencoder", outputs: [network.dense("output", x, { inputs, outputs: classes })] });
}
