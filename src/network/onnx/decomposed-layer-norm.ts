import type { ScalarOf, Written } from "./decomposed-gelu.ts";

/** The operator that a written-out normalization becomes: [x, epsilon, axes where they are an input]. */
export const decomposedNorm = "DecomposedLayerNormalization";

/** The integers that a file holds; null where a name stands for anything else. */
export type IntegersOf = (name: string) => readonly number[] | null;

/**
 * (x - mean)/sqrt(mean((x - mean)²) + epsilon) as exporters write it out, as one node each, in the place of its quotient;
 * scale and shift behind it are products and sums of their own. The nodes that it was made of stay where others read them.
 */
export function joinLayerNorm<N extends Written>(
  nodes: readonly N[],
  { scalarOf, integersOf }: { readonly scalarOf: ScalarOf; readonly integersOf: IntegersOf },
): readonly N[] {
  if (!nodes.some(({ operator }) => operator === "Sqrt")) return nodes;
  const makers = new Map(nodes.map((node) => [node.outputs[0] ?? "", node]));
  const maker = (name: string | undefined, operator: string): N | null => {
    const found = makers.get(name ?? "");
    return found?.operator === operator ? found : null;
  };
  const isSquare = (node: N | undefined, of: string): boolean => {
    if (node?.operator === "Mul") return node.inputs.every((input) => input === of);
    return node?.operator === "Pow" && node.inputs[0] === of && scalarOf(node.inputs[1] ?? "") === 2;
  };
  /** The axes of a mean that keeps them; null: it keeps none, or they are not known. */
  const axesOf = ({ inputs, attributes }: N): string | null => {
    const axes = attributes.ints("axes") ?? integersOf(inputs[1] ?? "");
    return axes === null || attributes.int("keepdims", 1) === 0 ? null : `${axes.toSorted((a, b) => a - b)}`;
  };
  const joined = new Map<N, N>();
  for (const quotient of nodes.filter(({ operator }) => operator === "Div")) {
    const [centred = "", deviation] = quotient.inputs;
    const sum = maker(maker(deviation, "Sqrt")?.inputs[0], "Add");
    const variance = [0, 1].flatMap((place) => maker(sum?.inputs[place], "ReduceMean") ?? [])[0];
    const epsilon = sum?.inputs.find((name) => name !== variance?.outputs[0]);
    if (variance === undefined || epsilon === undefined || scalarOf(epsilon) === null) continue;
    const [x = "", name] = maker(centred, "Sub")?.inputs ?? [];
    const mean = maker(name, "ReduceMean");
    if (mean?.inputs[0] !== x || !isSquare(makers.get(variance.inputs[0] ?? ""), centred)) continue;
    const axes = axesOf(mean);
    if (axes === null || axes !== axesOf(variance)) continue;
    const inputs = [x, epsilon, ...mean.inputs.slice(1, 2)];
    joined.set(quotient, { ...quotient, operator: decomposedNorm, inputs, attributes: mean.attributes });
  }
  return nodes.map((node) => joined.get(node) ?? node);
}
