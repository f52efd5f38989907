import type { RunRecord } from "../../runs/record.ts";
import { methodOf } from "./method-name.ts";

const byMethod: { readonly [Name in ReturnType<typeof methodOf>]: boolean } = {
  "bayesian-bits": true,
  fixed: false,
  dpq: false,
  fp32: false,
  sensitivity: false,
  autoq: false,
  nearest: false,
  adaround: false,
  "bit-split": false,
  "product-quantization": false,
};

/** Whether a run learns gates: bit-widths and channels that are drawn in training and decided at test time. */
export const learnsGates = (record: Pick<RunRecord, "config">): boolean => byMethod[methodOf(record)];
