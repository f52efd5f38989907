import type { NodeId } from "../../graph/graph.ts";
import type { Network } from "../../kinds/index.ts";
import { evenPadding, NetworkBuilder } from "../builder.ts";
import type { ZooOptions } from "./options.ts";

export interface ResNet18Options extends ZooOptions {
  /** Channels of the four stages. */
  readonly widths?: readonly [number, number, number, number];
}

/** ResNet-18 for ImageNet (He et al., 2016, arXiv 1512.03385), shortcuts of type B. */
export function resnet18({ inputShape, classes, widths = [64, 128, 256, 512] }: ResNet18Options): Network {
  const network = new NetworkBuilder();
  const convolve = (
    id: string,
    x: NodeId,
    { kernel, inputs, outputs, stride }: { kernel: number; inputs: number; outputs: number; stride: number },
  ) => {
    const padding = evenPadding((kernel - 1) / 2);
    const layer = network.conv2d(id, x, { kernel, inputs, outputs, stride, padding, bias: false });
    return network.batchNorm(`${id}.norm`, layer, { channels: outputs });
  };
  const stem = convolve("conv1", network.input(inputShape), {
    kernel: 7,
    inputs: inputShape[2],
    outputs: widths[0],
    stride: 2,
  });
  let x = network.maxPool("pool1", network.relu("relu1", stem), { size: 3, stride: 2, padding: evenPadding(1) });
  let inputs: number = widths[0];
  for (const [stage, outputs] of widths.entries()) {
    for (const index of [1, 2]) {
      const block = `stage${stage + 1}.block${index}`;
      const stride = stage > 0 && index === 1 ? 2 : 1;
      const first = convolve(`${block}.conv1`, x, { kernel: 3, inputs, outputs, stride });
      const second = convolve(`${block}.conv2`, network.relu(`${block}.relu1`, first), {
        kernel: 3,
        inputs: outputs,
        outputs,
        stride: 1,
      });
      const same = stride === 1 && inputs === outputs;
      const rest = same ? x : convolve(`${block}.shortcut`, x, { kernel: 1, inputs, outputs, stride });
      x = network.relu(`${block}.relu2`, network.add(`${block}.sum`, second, rest));
      inputs = outputs;
    }
  }
  x = network.dense("fc", network.globalAveragePool("pool", x), { inputs, outputs: classes });
  return network.build({ name: "resnet18", outputs: [x] });
}
