import type { Nonlinearity } from "../../engine/nonlinearity.ts";
import type { NodeId } from "../../graph/graph.ts";
import type { Network } from "../../kinds/index.ts";
import { evenPadding, NetworkBuilder } from "../builder.ts";
import { channelsFor } from "./channels-for.ts";
import type { ZooOptions } from "./options.ts";

/** Table 2 of the paper: kernel, expanded channels, output channels, squeeze-and-excitation, hard-swish, stride. */
const blocks = [
  [3, 16, 16, true, false, 2],
  [3, 72, 24, false, false, 2],
  [3, 88, 24, false, false, 1],
  [5, 96, 40, true, true, 2],
  [5, 240, 40, true, true, 1],
  [5, 240, 40, true, true, 1],
  [5, 120, 48, true, true, 1],
  [5, 144, 48, true, true, 1],
  [5, 288, 96, true, true, 2],
  [5, 576, 96, true, true, 1],
  [5, 576, 96, true, true, 1],
] as const;

/** Channels of the stem, behind the last block, and of the layer before the classes. */
const [STEM, LAST, HIDDEN] = [16, 576, 1024];

const hardSwish: Nonlinearity = { kind: "hard-swish" };
const hardSigmoid: Nonlinearity = { kind: "hard-sigmoid", slope: 1 / 6, offset: 0.5 };

/** Images with fewer rows keep their size in the stem and the first block: five halvings would leave nothing of them. */
const SMALL = 64;

/**
 * MobileNetV3-Small (Howard et al., 2019, arXiv 1905.02244): inverted residuals with squeeze-and-excitation and
 * hard-swish. For images of less than 64 rows the first two strides are 1.
 */
export function mobilenetv3Small({ inputShape, classes }: ZooOptions): Network {
  const network = new NetworkBuilder();
  const isSmall = inputShape[0] < SMALL;
  const act = (id: string, x: NodeId, isSwish: boolean) =>
    isSwish ? network.nonlinear(id, x, hardSwish) : network.relu(id, x);
  const norm = (id: string, x: NodeId, channels: number) => network.batchNorm(`${id}.norm`, x, { channels });
  const pointwise = (id: string, x: NodeId, inputs: number, outputs: number) =>
    norm(id, network.conv2d(id, x, { kernel: 1, inputs, outputs, bias: false }), outputs);
  const excited = (id: string, x: NodeId, channels: number) => {
    const squeezed = channelsFor(channels / 4);
    const pooled = network.globalAveragePool(`${id}.pool`, x);
    const reduced = network.dense(`${id}.reduce`, pooled, { inputs: channels, outputs: squeezed });
    const open = network.relu(`${id}.relu`, reduced);
    const expanded = network.dense(`${id}.expand`, open, { inputs: squeezed, outputs: channels });
    return network.multiply(`${id}.product`, x, network.nonlinear(`${id}.gate`, expanded, hardSigmoid));
  };

  const stem = { kernel: 3, inputs: inputShape[2], outputs: STEM, padding: evenPadding(1), bias: false };
  const first = network.conv2d("conv1", network.input(inputShape), { ...stem, stride: isSmall ? 1 : 2 });
  let x = act("conv1.act", norm("conv1", first, STEM), true);
  let inputs = STEM;
  for (const [index, [kernel, hidden, outputs, squeezes, isSwish, wanted]] of blocks.entries()) {
    const block = `block${index + 1}`;
    const stride = index === 0 && isSmall ? 1 : wanted;
    const wide =
      hidden === inputs ? x : act(`${block}.expand.act`, pointwise(`${block}.expand`, x, inputs, hidden), isSwish);
    const options = { kernel, channels: hidden, stride, padding: evenPadding((kernel - 1) / 2), bias: false };
    const depthwise = network.depthwiseConv2d(`${block}.depthwise`, wide, options);
    const filtered = act(`${block}.depthwise.act`, norm(`${block}.depthwise`, depthwise, hidden), isSwish);
    const gated = squeezes ? excited(`${block}.excite`, filtered, hidden) : filtered;
    const narrow = pointwise(`${block}.project`, gated, hidden, outputs);
    x = stride === 1 && inputs === outputs ? network.add(`${block}.sum`, narrow, x) : narrow;
    inputs = outputs;
  }
  x = act("conv2.act", pointwise("conv2", x, inputs, LAST), true);
  const pooled = network.globalAveragePool("pool", x);
  const hidden = act("fc1.act", network.dense("fc1", pooled, { inputs: LAST, outputs: HIDDEN }), true);
  const output = network.dense("fc2", hidden, { inputs: HIDDEN, outputs: classes });
  return network.build({ name: "mobilenetv3-small", outputs: [output] });
}
