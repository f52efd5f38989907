/** What the data says of each of n images. */
type Labels =
  /** Class indices, [n]. */
  | { readonly kind: "classes"; readonly values: Int32Array }
  /** Numbers, [n, outputs]. */
  | { readonly kind: "values"; readonly values: Float32Array }
  /** Whether it has each label, 0 or 1, [n, labels]. */
  | { readonly kind: "labels"; readonly values: Uint8Array }
  /** The class of each pixel, [n, height, width]; {@link voidPixel}: it does not count. */
  | { readonly kind: "masks"; readonly values: Uint8Array }
  /** Nothing. */
  | { readonly kind: "none"; readonly values: Int32Array };

/** What a network is to give for each of n images. */
export type Targets = Labels & {
  /** What a teacher gives for them, [n, outputs], where there is one. */
  readonly teacher?: Float32Array;
};

/** What a task may need to know of images. */
export type TargetKind = Exclude<Targets["kind"], "none">;

/** What a mask has where nobody says what is there, or a crop shows what is beyond the image. */
export const voidPixel = 255;

/** What is said of images without labels. */
export const noTargets: Targets = { kind: "none", values: new Int32Array() };

/** What the targets of a data set are. */
export type TargetDescription =
  | { readonly kind: "classes"; readonly names: readonly string[] }
  | { readonly kind: "values"; readonly outputs: number }
  | { readonly kind: "labels"; readonly names: readonly string[] }
  | {
      readonly kind: "masks";
      readonly names: readonly string[];
      readonly size: readonly [height: number, width: number];
    }
  /** Of no labels, the data may say what classes are called. */
  | { readonly kind: "none"; readonly names?: readonly string[] | undefined };

/** How many values a network gives for each image where these are its targets: logits of classes, or numbers. */
export function outputsOf(targets: TargetDescription): number {
  switch (targets.kind) {
    case "classes":
    case "labels":
      return targets.names.length;
    case "masks":
      return targets.names.length * targets.size[0] * targets.size[1];
    case "values":
      return targets.outputs;
    case "none":
      throw new Error("data without labels do not say what a network gives");
  }
}

/** The targets of these images of `count`, in this order, in arrays of their own. */
export function pickTargets(targets: Targets, indices: Uint32Array, count: number): Targets {
  const { teacher } = targets;
  return {
    ...pickLabels(targets, indices, count),
    ...(teacher && { teacher: pickRows(teacher, indices, count, (length) => new Float32Array(length)) }),
  };
}

function pickLabels(targets: Labels, indices: Uint32Array, count: number): Labels {
  switch (targets.kind) {
    case "classes":
      return { kind: "classes", values: Int32Array.from(indices, (index) => targets.values[index]!) };
    case "values":
      return { kind: "values", values: pickRows(targets.values, indices, count, (length) => new Float32Array(length)) };
    case "labels":
      return { kind: "labels", values: pickRows(targets.values, indices, count, (length) => new Uint8Array(length)) };
    case "masks":
      return { kind: "masks", values: pickRows(targets.values, indices, count, (length) => new Uint8Array(length)) };
    case "none":
      return noTargets;
  }
}

/** Rows of [count, width]. */
function pickRows<Values extends Float32Array | Uint8Array>(
  values: Values,
  indices: Uint32Array,
  count: number,
  create: (length: number) => Values,
): Values {
  const width = values.length / count;
  const picked = create(indices.length * width);
  indices.forEach((index, row) => {
    picked.set(values.subarray(index * width, (index + 1) * width), row * width);
  });
  return picked;
}
