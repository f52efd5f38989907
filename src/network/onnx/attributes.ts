import {
  type AttributeProto,
  type TensorProto,
  AttributeProto_AttributeType as types,
} from "../../onnx/generated/onnx_pb.ts";
import { Damaged } from "./problems.ts";

export type { TensorProto };

type AttributeType = (typeof types)[keyof typeof types];

const typeNames = new Map<number, string>(Object.entries(types).map(([name, type]) => [type, name]));

/** The attributes of a node, by name and type. */
export class Attributes {
  readonly #byName = new Map<string, AttributeProto>();

  /** @throws Damaged at a name that comes twice. */
  constructor(attributes: readonly AttributeProto[]) {
    for (const attribute of attributes) {
      const { name } = attribute;
      if (this.#byName.has(name)) throw new Damaged(`has two attributes named "${name}"`);
      this.#byName.set(name, attribute);
    }
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  int(name: string, fallback: number): number {
    const attribute = this.#find(name, types.INT);
    return attribute === null ? fallback : integer(name, attribute.i);
  }

  ints(name: string): readonly number[] | null {
    return this.#find(name, types.INTS)?.ints?.map((value) => integer(name, value)) ?? null;
  }

  float(name: string, fallback: number): number {
    return this.#find(name, types.FLOAT)?.f ?? fallback;
  }

  floats(name: string): readonly number[] | null {
    return this.#find(name, types.FLOATS)?.floats ?? null;
  }

  string(name: string, fallback: string): string {
    const bytes = this.#find(name, types.STRING)?.s;
    return bytes ? Buffer.from(bytes).toString("utf8") : fallback;
  }

  tensor(name: string): TensorProto | null {
    return this.#find(name, types.TENSOR)?.t ?? null;
  }

  #find(name: string, type: AttributeType): AttributeProto | null {
    const attribute = this.#byName.get(name);
    if (attribute === undefined) return null;
    if (attribute.type !== type) {
      throw new Damaged(`its attribute "${name}" is of type ${attribute.type}, expected ${typeNames.get(type)}`);
    }
    return attribute;
  }
}

/** An integer that JavaScript's numbers hold, or the nearest to it: INT64_MAX stands for "to the end". */
function integer(name: string, value: unknown): number {
  const number = Number(value);
  if (!Number.isInteger(number)) throw new Damaged(`its attribute "${name}" is no integer`);
  return number;
}
