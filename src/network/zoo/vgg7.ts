import type { Network } from "../../kinds/index.ts";
import { evenPadding, NetworkBuilder } from "../builder.ts";
import type { ZooOptions } from "./options.ts";

export interface Vgg7Options extends ZooOptions {
  /** Output channels of the three pairs of convolutions, and units of the hidden dense layer. */
  readonly widths?: readonly [number, number, number, number];
}

/**
 * VGG-7 as the paper has it: 2x128C3-MP2-2x256C3-MP2-2x512C3-MP2-1024FC-10, padding 1, batch normalization and ReLU
 * behind every layer but the last.
 */
export function vgg7({
  inputShape,
  classes,
  widths: [first, second, third, hidden] = [128, 256, 512, 1024],
}: Vgg7Options): Network {
  const [height, width, channels] = inputShape;
  const network = new NetworkBuilder();
  const normalized = (layer: string, name: string, units: number) =>
    network.relu(`relu${name}`, network.batchNorm(`norm${name}`, layer, { channels: units }));
  let x = network.input(inputShape);
  let inputs = channels;
  for (const [stage, outputs] of [first, second, third].entries()) {
    for (const index of [1, 2]) {
      const name = `${2 * stage + index}`;
      const options = { kernel: 3, inputs, outputs, padding: evenPadding(1), bias: false };
      x = normalized(network.conv2d(`conv${name}`, x, options), name, outputs);
      inputs = outputs;
    }
    x = network.maxPool(`pool${stage + 1}`, x, { size: 2 });
  }
  x = network.flatten("flatten", x);
  const pixels = Math.floor(height / 8) * Math.floor(width / 8);
  x = normalized(network.dense("fc1", x, { inputs: pixels * third, outputs: hidden, bias: false }), "7", hidden);
  x = network.dense("fc2", x, { inputs: hidden, outputs: classes });
  return network.build({ name: "vgg7", outputs: [x] });
}
