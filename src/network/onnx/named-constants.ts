import { first } from "../../core/elements.ts";
import type { TensorProto } from "./attributes.ts";
import type { Written } from "./decomposed-gelu.ts";
import { knownSizes } from "./sizes.ts";
import { decodeTensor } from "./tensors.ts";

/** The numbers of tensors and of Constant nodes: one alone, or integers. */
export function constantsOf(nodes: readonly Written[], tensors: ReadonlyMap<string, TensorProto>) {
  const constants = new Map(nodes.flatMap((node) => (node.operator === "Constant" ? [[node.outputs[0], node]] : [])));
  const decoded = (name: string) => {
    const tensor = tensors.get(name) ?? constants.get(name)?.attributes.tensor("value");
    return tensor ? decodeTensor(tensor) : null;
  };
  return {
    scalarOf(name: string): number | null {
      const found = decoded(name);
      if (found !== null) return found.kind === "floats" && found.values.length === 1 ? first(found.values) : null;
      const attributes = constants.get(name)?.attributes;
      return attributes?.has("value_float") ? attributes.float("value_float", 0) : null;
    },
    integersOf(name: string): readonly number[] | null {
      const found = decoded(name);
      if (found?.kind === "integers") return knownSizes(found.values);
      return constants.get(name)?.attributes.ints("value_ints") ?? null;
    },
  };
}
