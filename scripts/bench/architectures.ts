/** A layer of a baseline; each but the last is followed by batch normalization (where asked for) and ReLU. */
export type BaselineLayer =
  | {
      readonly kind: "conv";
      readonly outputs: number;
      readonly kernel: number;
      readonly padding: "valid" | "same";
      /** 2×2 max-pooling behind the ReLU. */
      readonly pool: boolean;
    }
  | { readonly kind: "dense"; readonly outputs: number };

/** A network as the baselines build it, in their own framework's words. */
export interface Architecture {
  readonly batchNorm: boolean;
  readonly layers: readonly BaselineLayer[];
}

const conv3 = (outputs: number, pool = false) =>
  ({ kind: "conv", outputs, kernel: 3, padding: "same", pool }) as const satisfies BaselineLayer;
const conv5 = (outputs: number) =>
  ({ kind: "conv", outputs, kernel: 5, padding: "valid", pool: true }) as const satisfies BaselineLayer;
const dense = (outputs: number) => ({ kind: "dense", outputs }) as const satisfies BaselineLayer;

/** The networks that baselines know, by their names in the zoo. */
export const architectures: Readonly<Record<string, Architecture>> = {
  lenet5: { batchNorm: false, layers: [conv5(32), conv5(64), dense(512), dense(10)] },
  vgg7: {
    batchNorm: true,
    layers: [
      ...[conv3(128), conv3(128, true), conv3(256), conv3(256, true), conv3(512), conv3(512, true)],
      ...[dense(1024), dense(10)],
    ],
  },
};
