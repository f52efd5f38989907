import { type Method, noPrior } from "../method.ts";

/** The network as it is: no quantizer, nothing to learn but the weights. */
export const fp32: Method = {
  prepare: (network) => network,
  quantizers: () => new Map(),
  prior: noPrior,
  trainsWeights: true,
};
