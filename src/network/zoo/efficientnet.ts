import type { NodeId } from "../../graph/graph.ts";
import type { Network } from "../../kinds/index.ts";
import { NetworkBuilder } from "../builder.ts";
import { type Activate, convolved, invertedResidual } from "./inverted-residual.ts";
import type { ZooOptions } from "./options.ts";

/** Table 1 of the paper: expansion, kernel, first stride, output channels, repetitions. */
const stages = [
  [1, 3, 1, 16, 1],
  [6, 3, 2, 24, 2],
  [6, 5, 2, 40, 2],
  [6, 3, 2, 80, 3],
  [6, 5, 1, 112, 3],
  [6, 5, 2, 192, 4],
  [6, 3, 1, 320, 1],
] as const;

/** Channels of the stem, and of the last convolution. */
const [STEM, LAST] = [32, 1280];

/** Images with fewer rows keep their size in the stem and the second stage: five halvings would leave nothing of them. */
const SMALL = 64;

/**
 * EfficientNet-B0 (Tan and Le, 2019, arXiv 1905.11946): inverted residuals with squeeze-and-excitation and SiLU, without the
 * dropout and the dropped blocks that its authors train it with. For images of less than 64 rows the first two strides are 1.
 */
export function efficientnetB0({ inputShape, classes }: ZooOptions): Network {
  const network = new NetworkBuilder();
  const isSmall = inputShape[0] < SMALL;
  const silu: Activate = (id, x) => network.nonlinear(`${id}.act`, x, { kind: "silu" });
  const gate: Activate = (id, x) => network.nonlinear(`${id}.gate`, x, { kind: "sigmoid" });

  const stem = { kernel: 3, inputs: inputShape[2], outputs: STEM, stride: isSmall ? 1 : 2 };
  let x: NodeId = silu("conv1", convolved(network, "conv1", network.input(inputShape), stem));
  let inputs = STEM;
  for (const [stage, [expansion, kernel, firstStride, outputs, repetitions]] of stages.entries()) {
    for (let index = 0; index < repetitions; index++) {
      const wanted = stage === 1 && isSmall ? 1 : firstStride;
      x = invertedResidual(network, `stage${stage + 1}.block${index + 1}`, x, {
        ...{ kernel, inputs, hidden: expansion * inputs, outputs, activate: silu },
        stride: index === 0 ? wanted : 1,
        excitation: { squeezed: inputs / 4, activate: silu, gate },
      });
      inputs = outputs;
    }
  }
  x = silu("conv2", convolved(network, "conv2", x, { kernel: 1, inputs, outputs: LAST }));
  const output = network.dense("fc", network.globalAveragePool("pool", x), { inputs: LAST, outputs: classes });
  return network.build({ name: "efficientnet-b0", outputs: [output] });
}
