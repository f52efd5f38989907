import type { Network } from "../../kinds/index.ts";
import { NetworkBuilder } from "../builder.ts";
import type { ZooOptions } from "./options.ts";

export interface LeNetOptions extends ZooOptions {
  /** Output channels of the two convolutions and units of the hidden dense layer. */
  readonly widths?: readonly [number, number, number];
}

/** LeNet-5 as the paper has it: 32C5-MP2-64C5-MP2-512FC-10, valid padding, ReLU. */
export function lenet5({
  inputShape,
  classes,
  widths: [first, second, hidden] = [32, 64, 512],
}: LeNetOptions): Network {
  const [height, width, channels] = inputShape;
  const rest = (size: number) => Math.floor((Math.floor((size - 4) / 2) - 4) / 2);
  const network = new NetworkBuilder();
  let x = network.conv2d("conv1", network.input(inputShape), { kernel: 5, inputs: channels, outputs: first });
  x = network.maxPool("pool1", network.relu("relu1", x), { size: 2 });
  x = network.conv2d("conv2", x, { kernel: 5, inputs: first, outputs: second });
  x = network.maxPool("pool2", network.relu("relu2", x), { size: 2 });
  x = network.flatten("flatten", x);
  x = network.dense("fc1", x, { inputs: rest(height) * rest(width) * second, outputs: hidden });
  x = network.relu("relu3", x);
  x = network.dense("fc2", x, { inputs: hidden, outputs: classes });
  return network.build({ name: "lenet5", outputs: [x] });
}
