import type { Pair } from "../core/pair.ts";
import type { Padding } from "../graph/graph.ts";
import type { Alignment } from "../kinds/resize.ts";
import type { Base } from "./frozen-base.ts";

/** Largest of each window; padding never wins. */
export interface FrozenMaxPool extends Base {
  readonly kind: "max-pool";
  readonly size: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
}

/** Mean of each window; padding does not count. */
export interface FrozenAveragePool extends Base {
  readonly kind: "average-pool";
  readonly size: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
}

/** [height, width, channels] to [channels]: the mean of each channel. */
export interface FrozenGlobalAveragePool extends Base {
  readonly kind: "global-average-pool";
}

/** An image of another size, interpolated between its pixels. */
export interface FrozenResize extends Base {
  readonly kind: "resize";
  readonly size: Pair;
  readonly alignment: Alignment;
}
