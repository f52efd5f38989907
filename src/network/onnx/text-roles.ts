import { maskOf } from "../../kinds/token-mask.ts";
import { elementTypes, typeName } from "../../onnx/element-types.ts";
import type { ModelInput } from "./model-graph.ts";
import { Damaged } from "./problems.ts";

/** What a text encoder's inputs are: the tokens, and what can be made of them. */
export type TextRole = "tokens" | "mask" | "types" | "positions";

/** An input of a file that takes texts, [batch, tokens]. */
export interface TextInput {
  readonly name: string;
  readonly role: TextRole;
  /** Number of TensorProto.DataType. */
  readonly type: number;
}

/** Names of what is made of the tokens, as exporters of text encoders give them. */
const roles: readonly (readonly [Exclude<TextRole, "tokens">, RegExp])[] = [
  ["mask", /mask/i],
  ["types", /type|segment/i],
  ["positions", /position/i],
];

/** What a number of an input may be to the file. */
const types: { readonly [R in TextRole]: readonly number[] } = {
  tokens: [elementTypes.int32, elementTypes.int64],
  mask: [elementTypes.int32, elementTypes.int64, elementTypes.bool, elementTypes.float],
  types: [elementTypes.int32, elementTypes.int64],
  positions: [elementTypes.int32, elementTypes.int64],
};

/**
 * What the inputs of a text encoder are, by their names.
 *
 * @throws Damaged where there is not one of tokens, or one is of another type.
 */
export function textRoles(inputs: readonly Pick<ModelInput, "name" | "type">[]): readonly TextInput[] {
  const found = inputs.map(({ name, type }): TextInput => {
    const isAlone = inputs.length === 1;
    const [role] = roles.find(([, pattern]) => !isAlone && pattern.test(name)) ?? ["tokens" as const];
    return { name, role, type };
  });
  const tokens = found.filter(({ role }) => role === "tokens");
  if (tokens.length !== 1) {
    const names = inputs.map(({ name }) => `"${name}"`).join(", ");
    throw new Damaged(
      `of its inputs (${names}) ${tokens.length} may be the tokens, expected one; others are known by "mask", "type" or "position" in their names: rename them in the export`,
    );
  }
  for (const { name, role, type } of found) {
    if (!types[role].includes(type)) {
      throw new Damaged(
        `its input "${name}" is ${typeName(type)}, expected ${types[role].map(typeName).join(" or ")}: it is taken for the ${role} of texts`,
      );
    }
  }
  return found;
}

/** The numbers of an input for texts of `length` tokens: all texts are of one type, and begin at position 0. */
export const textNumbers: { readonly [R in TextRole]: (tokens: Int32Array, length: number) => ArrayLike<number> } = {
  tokens: (tokens) => tokens,
  mask: maskOf,
  types: (tokens) => new Int32Array(tokens.length),
  positions: (tokens, length) => tokens.map((_, index) => index % length),
};
