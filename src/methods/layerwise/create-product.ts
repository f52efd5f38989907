import type { RunConfig } from "../../config/schema.ts";
import { createQuantizers } from "../../quantizers/create-quantizers.ts";
import { UNLIMITED } from "../../quantizers/gate-sample.ts";
import { quantizeWeights } from "../../quantizers/insert-quantizers.ts";
import { type Method, noPrior } from "../method.ts";
import { planCodebooks } from "./codebook-plan.ts";
import { initialGates } from "./create-layerwise.ts";
import { clusterLayer } from "./product-quantization.ts";

/**
 * And the Bit Goes Down (Stock et al. 2020): weights become codes into codebooks, layer by layer, and codebooks learn from
 * the float network. Biases, normalizations and activations stay in float32.
 */
export function productQuantization(
  config: Extract<RunConfig["method"], { name: "product-quantization" }>,
  seed: number,
): Method {
  const { activations, biasCorrection, calibration, finetune, iterations, projection } = config;
  return {
    prepare(network) {
      const planned = planCodebooks(network, config);
      return quantizeWeights(network, ({ name }) => planned.has(name));
    },
    quantizers(network) {
      const quantizers = createQuantizers(network, {
        ...{ pruning: false, initial: initialGates, prior: "const", bitsOf: () => 32 },
      });
      for (const { range } of quantizers.values()) range[0] = UNLIMITED;
      return quantizers;
    },
    prior: noPrior,
    trainsWeights: true,
    clustering: {
      codebooks: (network) => planCodebooks(network, config),
      solve: clusterLayer({ activations, biasCorrection, iterations, projection, seed }),
      calibration: activations || biasCorrection ? calibration : null,
      biasCorrection,
      finetune,
    },
  };
}
