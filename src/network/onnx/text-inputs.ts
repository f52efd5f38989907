import { elementTypes } from "../../onnx/element-types.ts";
import { type FileLayout, fits, type InputValue, noneYet, sampleText } from "./file-inputs.ts";
import type { GraphWriter } from "./graph-writer.ts";
import type { ModelGraph } from "./model-graph.ts";
import { Damaged } from "./problems.ts";
import { inFileOrder } from "./regroup.ts";
import { oneBatch } from "./sizes.ts";
import { textNumbers, textRoles } from "./text-roles.ts";

/**
 * Tokens, and what the file takes beside them, made of them.
 *
 * @throws Damaged where they do not fit.
 */
export function textInputs(
  { inputs }: ModelGraph,
  writer: GraphWriter,
  length: number,
): { readonly inputs: readonly InputValue[]; readonly layout: FileLayout } {
  const texts = textRoles(inputs);
  for (const { name, shape } of inputs) {
    const [, ...dims] = shape;
    if (!fits(dims, [length])) {
      throw new Damaged(
        `its input "${name}" is ${sampleText(dims)}, the data's texts are of ${length} tokens: give the data as many, or export the network for these`,
      );
    }
  }
  const tokens = writer.input("tokens", [length], "int32");
  const computed = (node: string, integers: boolean) => ({
    ...{ ...noneYet, node, shape: [length], integers },
    ...inFileOrder([oneBatch, length]),
  });
  const given = (values: readonly number[]) =>
    ({ kind: "integers", dims: [1, length], values, samples: true }) as const;
  const values = texts.map(({ name, role, type }): InputValue => {
    if (role === "tokens") return { name, value: computed(tokens, true) };
    if (role === "mask") {
      const node = writer.push({ kind: "token-mask", id: writer.name("mask"), inputs: [tokens] });
      return { name, value: computed(node, type !== elementTypes.float) };
    }
    return { name, value: given(Array.from(textNumbers[role](new Int32Array(length), length))) };
  });
  const [batch = null] = inputs[0]?.shape ?? [];
  return { inputs: values, layout: { imageShape: [length], batch, channelsFirst: false, texts } };
}
