/** A variant of a discriminated union. */
interface Kinded {
  readonly kind: string;
}

/** The variant of the union `N` that has the kind `K`. */
export type OfKind<N extends Kinded, K extends N["kind"]> = {
  [P in K]: Extract<N, { readonly kind: P }> & { readonly kind: P };
}[K];

/** One rule for each kind of `N`: a table that leaves one out does not compile. */
export type ByKind<N extends Kinded, Args extends readonly unknown[], Result> = {
  readonly [K in N["kind"]]: (node: OfKind<N, K>, ...args: Args) => Result;
};

/** What the rule for a node's kind makes of it. */
export const applyByKind = <N extends Kinded, K extends N["kind"], Args extends readonly unknown[], Result>(
  rules: ByKind<N, Args, Result>,
  node: OfKind<N, K>,
  ...args: Args
): Result => rules[node.kind](node, ...args);
