/** What a network is to give for each of n images. */
export type Targets =
  /** Class indices, [n]. */
  | { readonly kind: "classes"; readonly values: Int32Array }
  /** Numbers, [n, outputs]. */
  | { readonly kind: "values"; readonly values: Float32Array };

export type TargetKind = Targets["kind"];

/** What the targets of a data set are. */
export type TargetDescription =
  | { readonly kind: "classes"; readonly names: readonly string[] }
  | { readonly kind: "values"; readonly outputs: number };

/** How many values a network gives for each image where these are its targets: logits of classes, or numbers. */
export function outputsOf(targets: TargetDescription): number {
  switch (targets.kind) {
    case "classes":
      return targets.names.length;
    case "values":
      return targets.outputs;
  }
}

/** The targets of these images of `count`, in this order, in an array of their own. */
export function pickTargets(targets: Targets, indices: Uint32Array, count: number): Targets {
  switch (targets.kind) {
    case "classes":
      return { kind: "classes", values: Int32Array.from(indices, (index) => targets.values[index]!) };
    case "values": {
      const width = targets.values.length / count;
      const values = new Float32Array(indices.length * width);
      indices.forEach((index, row) => {
        values.set(targets.values.subarray(index * width, (index + 1) * width), row * width);
      });
      return { kind: "values", values };
    }
  }
}
