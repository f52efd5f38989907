import type { Network } from "../graph.ts";
import { lenet5 } from "./lenet5.ts";

interface ZooOptions {
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly classes: number;
}

const zoo = { lenet5 } as const satisfies Readonly<Record<string, (options: ZooOptions) => Network>>;

export type NetworkName = keyof typeof zoo;

/** A network of the zoo, by its name in configurations. */
export const createNetwork = (name: NetworkName, options: ZooOptions): Network => zoo[name](options);
