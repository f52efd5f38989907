/** The paper's three groups of what is learned: weights and biases, gates, ranges. */
export type Group = "weights" | "gates" | "ranges";
export type PerGroup<T> = Readonly<Record<Group, T>>;
