import type { Network } from "../../kinds/index.ts";
import { evenPadding, NetworkBuilder } from "../builder.ts";
import type { ZooOptions } from "./options.ts";

/** Channels of the 3 × 3 convolutions. */
const widths = [16, 32, 32] as const;

/** A class for each pixel: three convolutions of the whole size, a batch normalization and a ReLU behind each, and one of single pixels. */
export function smallFcn({ inputShape: [height, width, channels], classes }: ZooOptions): Network {
  const network = new NetworkBuilder();
  let x = network.input([height, width, channels]);
  let inputs: number = channels;
  for (const [index, outputs] of widths.entries()) {
    const id = `conv${index + 1}`;
    const layer = network.conv2d(id, x, { kernel: 3, padding: evenPadding(1), inputs, outputs, bias: false });
    x = network.relu(`${id}.relu`, network.batchNorm(`${id}.norm`, layer, { channels: outputs }));
    inputs = outputs;
  }
  const output = network.conv2d("output", x, { kernel: 1, inputs, outputs: classes });
  return network.build({ name: "small-fcn", outputs: [output] });
}
