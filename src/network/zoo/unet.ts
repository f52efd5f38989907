import { UsageError } from "../../core/errors.ts";
import type { NodeId } from "../../graph/graph.ts";
import type { Network } from "../../kinds/index.ts";
import { evenPadding, NetworkBuilder } from "../builder.ts";
import type { ZooOptions } from "./options.ts";
import { twiceAsLarge } from "./twice-as-large.ts";

export interface UnetOptions {
  /** Channels at the size of the image; twice as many with each halving. */
  readonly width: number;
  /** How often the image is halved. */
  readonly depth: number;
  /** How it becomes as large again: by transposed convolutions, or every pixel four times and a convolution of 2 × 2. */
  readonly upsampling: "transposed" | "nearest";
}

/**
 * U-Net (Ronneberger et al., 2015, arXiv 1505.04597) as it is built today: convolutions that keep the size, a batch
 * normalization and a ReLU behind each, and a class for each pixel. What the image was before each halving stands beside what
 * becomes as large again. Width 64 and depth 4 are the paper's.
 *
 * @throws UsageError where an image cannot be halved so often.
 */
export function unet({
  inputShape: [height, width, channels],
  classes,
  ...options
}: ZooOptions & UnetOptions): Network {
  requireHalves([height, width], options.depth);
  const network = new NetworkBuilder();
  const widthAt = (level: number) => options.width * 2 ** level;
  const twice = (id: string, x: NodeId, inputs: number, outputs: number) => {
    const first = convolved(network, `${id}.conv1`, x, { inputs, outputs });
    return convolved(network, `${id}.conv2`, first, { inputs: outputs, outputs });
  };

  const skips: NodeId[] = [];
  let x: NodeId = network.input([height, width, channels]);
  let inputs: number = channels;
  for (let level = 0; level < options.depth; level++) {
    x = twice(`down${level + 1}`, x, inputs, widthAt(level));
    skips.push(x);
    x = network.maxPool(`down${level + 1}.pool`, x, { size: 2 });
    inputs = widthAt(level);
  }
  x = twice("middle", x, inputs, widthAt(options.depth));
  for (const [level, skip] of Array.from(skips.entries()).toReversed()) {
    const [id, outputs] = [`up${level + 1}`, widthAt(level)];
    const layer = { inputs: 2 * outputs, outputs };
    const larger =
      options.upsampling === "transposed"
        ? network.convTranspose(`${id}.larger`, x, { kernel: 2, stride: 2, ...layer })
        : enlarged(network, `${id}.larger`, x, {
            ...layer,
            size: [height / 2 ** (level + 1), width / 2 ** (level + 1)],
          });
    x = twice(id, network.concat(`${id}.beside`, [skip, larger]), 2 * outputs, outputs);
  }
  const output = network.conv2d("output", x, { kernel: 1, inputs: options.width, outputs: classes });
  return network.build({ name: "unet", outputs: [output] });
}

function convolved(
  network: NetworkBuilder,
  id: string,
  x: NodeId,
  { inputs, outputs }: { readonly inputs: number; readonly outputs: number },
): NodeId {
  const layer = network.conv2d(id, x, { kernel: 3, padding: evenPadding(1), inputs, outputs, bias: false });
  return network.relu(`${id}.relu`, network.batchNorm(`${id}.norm`, layer, { channels: outputs }));
}

/** The nearest pixels of an image twice as large, and a convolution that makes as many channels of them as are wanted. */
function enlarged(
  network: NetworkBuilder,
  id: string,
  x: NodeId,
  {
    size: [height, width],
    inputs,
    outputs,
  }: { readonly size: readonly [number, number]; readonly inputs: number; readonly outputs: number },
): NodeId {
  const nearest = twiceAsLarge(network, `${id}.nearest`, x, [height, width, inputs]);
  return network.conv2d(id, nearest, {
    kernel: 2,
    padding: { ...evenPadding(0), bottom: 1, right: 1 },
    inputs,
    outputs,
  });
}

function requireHalves(sides: readonly [number, number], depth: number): void {
  const least = 2 ** depth;
  if (sides.every((side) => side % least === 0)) return;
  throw new UsageError(
    `network.depth: unet halves images ${depth} times, and ${sides.join("×")} pixels cannot be: take images whose sides are multiples of ${least}, or a smaller depth`,
  );
}
