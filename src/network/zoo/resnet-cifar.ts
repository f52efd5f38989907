import type { NodeId } from "../../graph/graph.ts";
import type { Network } from "../../kinds/index.ts";
import { evenPadding, NetworkBuilder } from "../builder.ts";
import type { ZooOptions } from "./options.ts";

export interface CifarResNetOptions extends ZooOptions {
  /** How a block whose output has another shape is bridged: A subsamples and adds channels of zeros, B convolves. */
  readonly shortcut?: "A" | "B";
  /** Channels of the three stages. */
  readonly widths?: readonly [number, number, number];
}

/** The residual networks for CIFAR of He et al. (2016, arXiv 1512.03385, section 4.2), with 6n+2 layers. */
export function cifarResNet(
  name: string,
  depth: 20 | 32 | 56,
  { inputShape, classes, shortcut = "A", widths = [16, 32, 64] }: CifarResNetOptions,
): Network {
  const network = new NetworkBuilder();
  const convolve = (id: string, x: NodeId, inputs: number, outputs: number, stride = 1) => {
    const options = { kernel: 3, inputs, outputs, stride, padding: evenPadding(1), bias: false };
    return network.batchNorm(`${id}.norm`, network.conv2d(id, x, options), { channels: outputs });
  };
  const bridge = (block: string, x: NodeId, inputs: number, outputs: number, stride: number) => {
    if (shortcut === "A") {
      const sampled = stride === 1 ? x : network.maxPool(`${block}.sampled`, x, { size: 1, stride });
      const added = outputs - inputs;
      return network.padChannels(`${block}.widened`, sampled, [Math.floor(added / 2), Math.ceil(added / 2)]);
    }
    const options = { kernel: 1, inputs, outputs, stride, bias: false };
    const id = `${block}.shortcut`;
    return network.batchNorm(`${id}.norm`, network.conv2d(id, x, options), { channels: outputs });
  };

  let x = network.relu("relu1", convolve("conv1", network.input(inputShape), inputShape[2], widths[0]));
  let inputs: number = widths[0];
  for (const [stage, outputs] of widths.entries()) {
    for (let index = 0; index < (depth - 2) / 6; index++) {
      const block = `stage${stage + 1}.block${index + 1}`;
      const stride = stage > 0 && index === 0 ? 2 : 1;
      const first = network.relu(`${block}.relu1`, convolve(`${block}.conv1`, x, inputs, outputs, stride));
      const second = convolve(`${block}.conv2`, first, outputs, outputs);
      const rest = stride === 1 && inputs === outputs ? x : bridge(block, x, inputs, outputs, stride);
      x = network.relu(`${block}.relu2`, network.add(`${block}.sum`, second, rest));
      inputs = outputs;
    }
  }
  x = network.dense("fc", network.globalAveragePool("pool", x), { inputs, outputs: classes });
  return network.build({ name, outputs: [x] });
}
