import type { Pair } from "../../core/pair.ts";
import type { NodeId, Padding } from "../../graph/graph.ts";
import type { Network } from "../../kinds/index.ts";
import { NetworkBuilder } from "../builder.ts";
import type { ZooOptions } from "./options.ts";

// Networks of the MLPerf Tiny benchmark (Banbury et al., 2021, arXiv 2106.07597), as its Keras code has them but for the
// biases before batch normalizations, which these make superfluous.

/** Keras' "same": as many windows as strides fit, what is missing around the image, the odd row at its end. */
function samePadding([height, width]: Pair, [rows, columns]: Pair, stride: number): Padding {
  const split = (size: number, kernel: number): Pair => {
    const missing = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size);
    return [Math.floor(missing / 2), Math.ceil(missing / 2)];
  };
  const [top, bottom] = split(height, rows);
  const [left, right] = split(width, columns);
  return { top, bottom, left, right };
}

/** Writes layers that are padded as Keras does, each with a batch normalization, and knows the size of what it has. */
class TinyBuilder {
  readonly network = new NetworkBuilder();
  size: Pair;

  constructor([height, width]: Pair) {
    this.size = [height, width];
  }

  convolved(
    id: string,
    x: NodeId,
    { kernel, inputs, outputs, stride = 1 }: { kernel: Pair; inputs: number; outputs: number; stride?: number },
  ): NodeId {
    const padding = this.#slide(kernel, stride);
    const layer = this.network.conv2d(id, x, { kernel, inputs, outputs, stride, padding, bias: false });
    return this.network.batchNorm(`${id}.norm`, layer, { channels: outputs });
  }

  filtered(id: string, x: NodeId, { channels, stride }: { channels: number; stride: number }): NodeId {
    const padding = this.#slide([3, 3], stride);
    const layer = this.network.depthwiseConv2d(id, x, { kernel: 3, channels, stride, padding, bias: false });
    return this.network.batchNorm(`${id}.norm`, layer, { channels });
  }

  /** A depthwise convolution and one of single pixels, a ReLU behind each. */
  separable(id: string, x: NodeId, inputs: number, outputs: number, stride: number): NodeId {
    const filtered = this.network.relu(
      `${id}.relu1`,
      this.filtered(`${id}.depthwise`, x, { channels: inputs, stride }),
    );
    const mixed = this.convolved(`${id}.pointwise`, filtered, { kernel: [1, 1], inputs, outputs });
    return this.network.relu(`${id}.relu2`, mixed);
  }

  /** The classes, of each channel's mean. */
  classified(name: string, x: NodeId, inputs: number, outputs: number): Network {
    const output = this.network.dense("fc", this.network.globalAveragePool("pool", x), { inputs, outputs });
    return this.network.build({ name, outputs: [output] });
  }

  #slide(kernel: Pair, stride: number): Padding {
    const padding = samePadding(this.size, kernel, stride);
    this.size = [Math.ceil(this.size[0] / stride), Math.ceil(this.size[1] / stride)];
    return padding;
  }
}

/** Image classification: three residual stages on CIFAR-10. */
export function resnet8({ inputShape: [height, width, channels], classes }: ZooOptions): Network {
  const tiny = new TinyBuilder([height, width]);
  const { network } = tiny;
  const kernel = [3, 3] as const;
  const stem = tiny.convolved("conv1", network.input([height, width, channels]), {
    ...{ kernel, inputs: channels, outputs: 16 },
  });
  let x = network.relu("relu1", stem);
  let inputs = 16;
  for (const [index, outputs] of [16, 32, 64].entries()) {
    const [block, stride] = [`block${index + 1}`, index === 0 ? 1 : 2];
    const before = tiny.size;
    const first = network.relu(
      `${block}.relu1`,
      tiny.convolved(`${block}.conv1`, x, { kernel, inputs, outputs, stride }),
    );
    const second = tiny.convolved(`${block}.conv2`, first, { kernel, inputs: outputs, outputs });
    const padding = samePadding(before, [1, 1], stride);
    const rest =
      stride === 1 ? x : network.conv2d(`${block}.shortcut`, x, { kernel: 1, inputs, outputs, stride, padding });
    x = network.relu(`${block}.relu2`, network.add(`${block}.sum`, second, rest));
    inputs = outputs;
  }
  return tiny.classified("resnet8", x, inputs, classes);
}

/** Keyword spotting: depthwise separable convolutions over 49 frames of 10 coefficients (Zhang et al., 2017). */
export function dsCnn({ inputShape: [height, width, channels], classes }: ZooOptions): Network {
  const tiny = new TinyBuilder([height, width]);
  const outputs = 64;
  const stem = { kernel: [10, 4], inputs: channels, outputs, stride: 2 } as const;
  const first = tiny.convolved("conv1", tiny.network.input([height, width, channels]), stem);
  let x = tiny.network.relu("relu1", first);
  for (let block = 1; block <= 4; block++) x = tiny.separable(`block${block}`, x, outputs, outputs, 1);
  return tiny.classified("ds-cnn", x, outputs, classes);
}

/** Output channels and stride of each block of MobileNetV1 (Howard et al., 2017). */
const mobileBlocks = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
] as const;

/** Visual wake words: MobileNetV1 with a quarter of its channels, for images of 96 × 96. */
export function mobilenetv1Quarter({ inputShape: [height, width, channels], classes }: ZooOptions): Network {
  const tiny = new TinyBuilder([height, width]);
  let inputs = 8;
  const stem = { kernel: [3, 3], inputs: channels, outputs: inputs, stride: 2 } as const;
  const first = tiny.convolved("conv1", tiny.network.input([height, width, channels]), stem);
  let x = tiny.network.relu("relu1", first);
  for (const [index, [whole, stride]] of mobileBlocks.entries()) {
    x = tiny.separable(`block${index + 1}`, x, inputs, whole / 4, stride);
    inputs = whole / 4;
  }
  return tiny.classified("mobilenetv1-0.25", x, inputs, classes);
}
