import type { NodeId } from "../../graph/graph.ts";
import type { Network } from "../../kinds/index.ts";
import { evenPadding, NetworkBuilder } from "../builder.ts";
import { channelsFor } from "./channels-for.ts";
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
  const pointwise = (id: string, x: NodeId, inputs: number, outputs: number) =>
    network.batchNorm(`${id}.norm`, network.conv2d(id, x, { kernel: 1, inputs, outputs, bias: false }), {
      channels: outputs,
    });
  const relu6 = (id: string, x: NodeId) => network.relu(id, x, { limit: 6 });

  let inputs = scaled(32);
  const stem = { kernel: 3, inputs: inputShape[2], outputs: inputs, stride: 2, padding: evenPadding(1), bias: false };
  const first = network.batchNorm("conv1.norm", network.conv2d("conv1", network.input(inputShape), stem), {
    channels: inputs,
  });
  let x = relu6("conv1.relu", first);
  for (const [stage, [expansion, channels, repetitions, firstStride]] of stages.entries()) {
    const outputs = scaled(channels);
    for (let index = 0; index < repetitions; index++) {
      const block = `stage${stage + 1}.block${index + 1}`;
      const stride = index === 0 ? firstStride : 1;
      const hidden = expansion * inputs;
      const wide = expansion === 1 ? x : relu6(`${block}.expand.relu`, pointwise(`${block}.expand`, x, inputs, hidden));
      const depthwise = { kernel: 3, channels: hidden, stride, padding: evenPadding(1), bias: false };
      const filtered = network.batchNorm(
        `${block}.depthwise.norm`,
        network.depthwiseConv2d(`${block}.depthwise`, wide, depthwise),
        { channels: hidden },
      );
      const narrow = pointwise(`${block}.project`, relu6(`${block}.depthwise.relu`, filtered), hidden, outputs);
      x = stride === 1 && inputs === outputs ? network.add(`${block}.sum`, narrow, x) : narrow;
      inputs = outputs;
    }
  }
  const last = Math.max(1280, scaled(1280));
  x = relu6("conv2.relu", pointwise("conv2", x, inputs, last));
  x = network.dense("fc", network.globalAveragePool("pool", x), { inputs: last, outputs: classes });
  return network.build({ name: "mobilenetv2", outputs: [x] });
}
