import { floatToHalf } from "../../../src/core/half-precision.ts";
import { elementsOf } from "../../../src/graph/shape.ts";
import { elementTypes } from "../../../src/onnx/element-types.ts";
import type { PlainAttribute, PlainGraph, PlainNode, PlainTensor } from "../../fixtures/onnx/plain-model.ts";
import type { Draw } from "./draw.ts";

/** A float32 value of the graph, with its sizes in a run; samples lie along the first axis. */
export interface Value {
  readonly name: string;
  readonly shape: readonly number[];
}

export const int = (name: string, i: number): PlainAttribute => ({ name, type: 2, i });
export const ints = (name: string, values: readonly number[]): PlainAttribute => ({ name, type: 7, ints: values });
export const float = (name: string, f: number): PlainAttribute => ({ name, type: 1, f });
export const text = (name: string, s: string): PlainAttribute => ({ name, type: 3, s: Buffer.from(s) });
export const graph = (name: string, g: PlainGraph): PlainAttribute => ({ name, type: 5, g });

/** Names that meet those the tool makes, break paths, or mean something to JavaScript. */
const strange = [
  ...["__proto__", "constructor", "a.step", "a.codes", "x.float", "x.given", "n.float/Mul", "größe", "层/权重", "🙂"],
  ...["../../up", "/", "a b", " ", "*", "a'b\"c", "-", "0", "a\nb", "l".repeat(300), "x:0", "%s", "a.step.2"],
];

interface NodeOptions {
  readonly attributes?: readonly PlainAttribute[];
  /** Names of all that it makes, where it is not one value with a new name. */
  readonly outputs?: readonly string[];
}

/** A graph while nodes are added; those of subgraphs have names of their own, that others may have too. */
export class GraphBuilder {
  readonly draw: Draw;
  readonly opset: number;
  readonly nodes: PlainNode[] = [];
  readonly tensors: PlainTensor[] = [];
  readonly #prefix: string;
  readonly #names = new Set<string>();
  readonly #nodeNames = new Set<string>();
  readonly #weights: { readonly name: string; readonly dims: readonly number[] }[] = [];

  constructor(draw: Draw, opset: number, prefix = "") {
    this.draw = draw;
    this.opset = opset;
    this.#prefix = prefix;
  }

  /** A graph that is to lie inside of this one. */
  inner(): GraphBuilder {
    return new GraphBuilder(this.draw, this.opset, `${this.#prefix}inner.`);
  }

  name(what: string): string {
    const { draw } = this;
    const wanted = this.#prefix + (draw.chance(0.2) ? draw.pick(strange) : what);
    let name = wanted;
    for (let count = 1; this.#names.has(name); count++) name = `${wanted}${draw.pick(["", ".", "_"])}${count}`;
    this.#names.add(name);
    return name;
  }

  /** Adds a node; gives the first name that it makes. */
  node(opType: string, input: readonly string[], { attributes = [], outputs }: NodeOptions = {}): string {
    const output = outputs ?? [this.name(opType.toLowerCase())];
    const own = this.draw.pick(["", output[0] ?? "", `/${opType}`, opType]);
    // The runtime takes no two nodes of one name, other than none.
    const name = this.#nodeNames.has(own) ? "" : own;
    this.#nodeNames.add(name);
    this.nodes.push({ opType, name, input, output, attribute: attributes });
    return output.find((name) => name !== "") ?? "";
  }

  tensor(what: string, dataType: number, dims: readonly number[], rawData: Uint8Array): string {
    const name = this.name(what);
    this.tensors.push({ name, dims, dataType, rawData });
    return name;
  }

  ints(values: readonly number[], dims: readonly number[] = [values.length]): string {
    const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.tensor("ints", elementTypes.int64, dims, data);
  }

  /** A constant as it comes: one initializer. */
  floats(dims: readonly number[], scale = 1, shift = 0): string {
    const values = this.draw.floats(elementsOf(dims), scale).map((value) => value + shift);
    if (this.draw.chance(0.1)) {
      const name = this.name("floats");
      this.tensors.push({ name, dims, dataType: elementTypes.float, floatData: [...values] });
      return name;
    }
    return this.tensor("floats", elementTypes.float, dims, new Uint8Array(values.buffer));
  }

  /** A bias, bound or statistic, as it comes or made by nodes; `like` is a value of the network of its type. */
  short(values: string, like: string): string {
    const { draw } = this;
    if (this.opset >= 15 && draw.chance(0.2)) return this.node("CastLike", [values, like]);
    return draw.chance(0.2) ? this.node("Identity", [values]) : values;
  }

  /** A weight for so many products in a sum: an initializer, or any way in which files hide one. */
  weight(dims: readonly number[], inputs: number): string {
    const { draw } = this;
    const scale = Math.sqrt(3 / inputs);
    const like = this.#weights.filter((known) => `${known.dims}` === `${dims}`);
    if (like.length > 0 && draw.chance(0.3)) return draw.pick(like).name;
    const name = this.#disguised(dims, scale);
    this.#weights.push({ name, dims });
    return name;
  }

  #disguised(dims: readonly number[], scale: number): string {
    const { draw } = this;
    const axes = dims.map((_, axis) => axis);
    const hidden: Readonly<Record<string, () => string>> = {
      initializer: () => this.floats(dims, scale),
      again: () => this.floats(dims, scale),
      constant: () => this.constant(dims, scale),
      identity: () => this.node("Identity", [this.#disguised(dims, scale)]),
      transposed: () => {
        const perm = draw.shuffled(axes);
        const before = axes.map((axis) => dims[perm.indexOf(axis)]!);
        return this.node("Transpose", [this.floats(before, scale)], { attributes: [ints("perm", perm)] });
      },
      reshaped: () => this.node("Reshape", [this.floats([elementsOf(dims)], scale), this.ints(dims)]),
      half: () => {
        const values = Uint16Array.from(draw.floats(elementsOf(dims), scale), floatToHalf);
        const half = this.tensor("half", elementTypes.float16, dims, new Uint8Array(values.buffer));
        return this.node("Cast", [half], { attributes: [int("to", elementTypes.float)] });
      },
      double: () => {
        const values = Float64Array.from(draw.floats(elementsOf(dims), scale));
        const double = this.tensor("double", elementTypes.double, dims, new Uint8Array(values.buffer));
        return this.node("Cast", [double], { attributes: [int("to", elementTypes.float)] });
      },
      scaled: () => this.node("Mul", [this.floats(dims, 1), this.floats([], 0, scale)]),
      zeros: () => this.floats(dims, draw.chance(0.3) ? 0 : scale),
    };
    return draw.pick(Object.values(hidden))();
  }

  constant(dims: readonly number[], scale: number): string {
    const values = this.draw.floats(elementsOf(dims), scale);
    const t = { name: "", dims, dataType: elementTypes.float, rawData: new Uint8Array(values.buffer) };
    return this.node("Constant", [], { attributes: [{ name: "value", type: 4, t }] });
  }
}
