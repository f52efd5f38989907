import { first } from "../../core/elements.ts";
import type { ScalarOf, Written } from "./decomposed-gelu.ts";

/** The operator that a written-out normalization becomes: [x, epsilon, axes where they are an input]. */
export const decomposedNorm = "DecomposedLayerNormalization";

/**
 * (x - mean)/sqrt(mean((x - mean)²) + epsilon) as exporters write it out, as one node each, in the place of its quotient;
 * scale and shift behind it are products and sums of their own. The nodes that it was made of stay where others read them.
 */
export function joinLayerNorm<N extends Written>(
  nodes: readonly N[],
  scalarOf: ScalarOf,
  outputs: readonly string[],
): readonly N[] {
  if (!nodes.some(({ operator }) => operator === "Sqrt")) return nodes;
  const makers = new Map(nodes.map((node) => [node.outputs[0] ?? "", node]));
  const maker = (name: string | undefined, operator: string): N | null => {
    const found = makers.get(name ?? "");
    return found?.operator === operator && !outputs.includes(first(found.outputs)) ? found : null;
  };
  const isSquare = (node: N | undefined, of: string): boolean => {
    if (node?.operator === "Mul") return node.inputs.every((input) => input === of);
    return node?.operator === "Pow" && node.inputs[0] === of && scalarOf(node.inputs[1] ?? "") === 2;
  };
  const joined = new Map<N, N>();
  for (const quotient of nodes.filter(({ operator }) => operator === "Div")) {
    const [centred = "", deviation] = quotient.inputs;
    const sum = maker(maker(deviation, "Sqrt")?.inputs[0], "Add");
    const variance = [0, 1].flatMap((place) => maker(sum?.inputs[place], "ReduceMean") ?? [])[0];
    const epsilon = sum?.inputs.find((name) => name !== variance?.outputs[0]);
    if (variance === undefined || epsilon === undefined || scalarOf(epsilon) === null) continue;
    const [x = "", mean] = maker(centred, "Sub")?.inputs ?? [];
    const ofMean = maker(mean, "ReduceMean");
    if (ofMean?.inputs[0] !== x || !isSquare(makers.get(variance.inputs[0] ?? ""), centred)) continue;
    const inputs = [x, epsilon, ...ofMean.inputs.slice(1, 2)];
    joined.set(quotient, { ...quotient, operator: decomposedNorm, inputs, attributes: ofMean.attributes });
  }
  return nodes.map((node) => joined.get(node) ?? node);
}
