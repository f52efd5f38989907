import type { Nonlinearity } from "../../engine/nonlinearity.ts";
import type { NodeId } from "../../graph/graph.ts";
import type { Network } from "../../kinds/index.ts";
import { NetworkBuilder } from "../builder.ts";
import { channelsFor } from "./channels-for.ts";
import { type Activate, convolved, invertedResidual } from "./inverted-residual.ts";
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
  const swish: Activate = (id, x) => network.nonlinear(`${id}.act`, x, hardSwish);
  const relu: Activate = (id, x) => network.relu(`${id}.act`, x);
  const excitation = {
    activate: (id: string, x: NodeId) => network.relu(`${id}.relu`, x),
    gate: (id: string, x: NodeId) => network.nonlinear(`${id}.gate`, x, hardSigmoid),
  };

  const stem = { kernel: 3, inputs: inputShape[2], outputs: STEM, stride: isSmall ? 1 : 2 };
  let x = swish("conv1", convolved(network, "conv1", network.input(inputShape), stem));
  let inputs = STEM;
  for (const [index, [kernel, hidden, outputs, squeezes, isSwish, wanted]] of blocks.entries()) {
    x = invertedResidual(network, `block${index + 1}`, x, {
      ...{ kernel, inputs, hidden, outputs, activate: isSwish ? swish : relu },
      stride: index === 0 && isSmall ? 1 : wanted,
      ...(squeezes && { excitation: { ...excitation, squeezed: channelsFor(hidden / 4) } }),
    });
    inputs = outputs;
  }
  x = swish("conv2", convolved(network, "conv2", x, { kernel: 1, inputs, outputs: LAST }));
  const pooled = network.globalAveragePool("pool", x);
  const hidden = swish("fc1", network.dense("fc1", pooled, { inputs: LAST, outputs: HIDDEN }));
  const output = network.dense("fc2", hidden, { inputs: HIDDEN, outputs: classes });
  return network.build({ name: "mobilenetv3-small", outputs: [output] });
}
