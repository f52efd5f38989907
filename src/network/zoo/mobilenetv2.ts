import type { Network } from "../../kinds/index.ts";
import { NetworkBuilder } from "../builder.ts";
import { channelsFor } from "./channels-for.ts";
import { type Activate, convolved, invertedResidual } from "./inverted-residual.ts";
import type { ZooOptions } from "./options.ts";

/** Table 2 of the paper: expansion, output channels, repetitions, first stride. */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

export interface MobileNetV2Options extends ZooOptions {
  /** Multiplies all channels. */
  readonly width?: number;
}

/** MobileNetV2 (Sandler et al., 2018, arXiv 1801.04381): inverted residuals with linear bottlenecks, ReLU6. */
export function mobilenetv2({ inputShape, classes, width = 1 }: MobileNetV2Options): Network {
  const network = new NetworkBuilder();
  const scaled = (channels: number) => channelsFor(channels * width);
  const relu6: Activate = (id, x) => network.relu(`${id}.relu`, x, { limit: 6 });

  let inputs = scaled(32);
  const stem = { kernel: 3, inputs: inputShape[2], outputs: inputs, stride: 2 };
  let x = relu6("conv1", convolved(network, "conv1", network.input(inputShape), stem));
  for (const [stage, [expansion, channels, repetitions, firstStride]] of stages.entries()) {
    const outputs = scaled(channels);
    for (let index = 0; index < repetitions; index++) {
      x = invertedResidual(network, `stage${stage + 1}.block${index + 1}`, x, {
        ...{ kernel: 3, inputs, hidden: expansion * inputs, outputs, activate: relu6 },
        stride: index === 0 ? firstStride : 1,
      });
      inputs = outputs;
    }
  }
  const last = Math.max(1280, scaled(1280));
  x = relu6("conv2", convolved(network, "conv2", x, { kernel: 1, inputs, outputs: last }));
  x = network.dense("fc", network.globalAveragePool("pool", x), { inputs: last, outputs: classes });
  return network.build({ name: "mobilenetv2", outputs: [x] });
}
