import type { NodeId } from "../../graph/graph.ts";
import type { Allowance } from "./allowance.ts";
import type { GraphWriter, OpenLayer } from "./graph-writer.ts";
import { type ModelGraph, numbersRead, type OnnxNode } from "./model-graph.ts";
import { Damaged, Unknown, Unsupported } from "./problems.ts";
import { decodeTensor } from "./tensors.ts";
import {
  type Activation,
  type Constant,
  channelsFirst,
  type Floats,
  type Integers,
  numbersOf,
  type Value,
} from "./value.ts";

/** Makes of a node of the file what the graph has for it. Attributes come first: they can be judged without inputs. */
export type Operator = (node: OnnxNode, translation: Translation) => Value;

/** What is known so far while the file's nodes are gone through. */
export class Translation {
  readonly opset: number;
  readonly graph: ModelGraph;
  readonly writer: GraphWriter;
  /** Of the numbers that are made of the file's. */
  readonly made: Allowance;
  readonly #values = new Map<string, Value>();
  readonly #unknown = new Set<string>();
  readonly #padded = new Map<NodeId, Map<string, NodeId>>();
  /** How many take what a node of the graph gives, under whichever of its names in the file. */
  readonly #readers = new Map<NodeId, number>();

  constructor(graph: ModelGraph, opset: number, writer: GraphWriter) {
    this.graph = graph;
    this.opset = opset;
    this.writer = writer;
    this.made = writer.made;
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
    if (value.kind === "activation") this.#addReaders(value.node, this.graph.readers.get(name) ?? 0);
  }

  /** What `node` gives. Where that is what it reads, its name is one more for the same thing, and it is no reader. */
  setOutput(node: OnnxNode, value: Value): void {
    if (value.kind === "activation") {
      for (const name of numbersRead(node, this.graph.readers)) {
        const read = this.#values.get(name);
        if (read?.kind === "activation" && read.node === value.node) this.#addReaders(value.node, -1);
      }
    }
    this.set(node.outputs[0] ?? "", value);
  }

  setUnknown(name: string): void {
    this.#unknown.add(name);
  }

  has({ inputs }: OnnxNode, index: number): boolean {
    return Boolean(inputs[index]);
  }

  /** @throws Unknown behind an unsupported node. */
  value({ inputs }: OnnxNode, index: number): Value {
    const name = inputs[index];
    if (!name) throw new Damaged(`lacks its input ${index + 1}`);
    return this.named(name);
  }

  named(name: string): Value {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const tensor = this.graph.tensors.get(name);
    if (this.#unknown.has(name) || tensor === undefined) throw new Unknown(name);
    const value = decodeTensor(tensor);
    this.#values.set(name, value);
    return value;
  }

  /** What a node of the graph gives; Pads before it become nodes unless `keepPadding`. */
  activation(node: OnnxNode, index = 0, { keepPadding = false } = {}): Activation {
    const value = this.value(node, index);
    if (value.kind !== "activation") throw new Unsupported(`its input ${index + 1} is a constant`);
    if (value.ending !== null) throw new Unsupported("it reads a Softmax, which can only stand at the end");
    return keepPadding ? value : this.#settle(value);
  }

  /** An image as [channels, height, width]. */
  image(node: OnnxNode, { keepPadding = false } = {}): Activation {
    const value = this.activation(node, 0, { keepPadding });
    const { axes, size } = value;
    // Axes of size 1 have no order.
    const fits =
      axes.length === 3 &&
      axes.every(
        (axis, index) => axis === channelsFirst[index] || (size[axis] === 1 && size[channelsFirst[index]!] === 1),
      );
    if (!fits || value.order !== null) {
      throw new Unsupported(
        `it reads [batch, ${axes.join(", ")}], expected images of [batch, channels, height, width]`,
      );
    }
    return { ...value, axes: channelsFirst };
  }

  /** Constant numbers. */
  floats(node: OnnxNode, index: number): Floats {
    const value = this.value(node, index);
    if (value.kind === "activation") throw new Unsupported(`its input ${index + 1} is computed, expected a constant`);
    if (value.kind === "integers") throw new Damaged(`its input ${index + 1} holds integers, expected float32`);
    return value;
  }

  /** Constant integers. */
  integers(node: OnnxNode, index: number): Integers {
    const value = this.value(node, index);
    if (value.kind === "activation") throw new Unsupported(`its input ${index + 1} is computed, expected a constant`);
    if (value.kind === "floats") throw new Damaged(`its input ${index + 1} holds float32, expected integers`);
    return value;
  }

  /** Whether no image decides what an input is; false also where nothing is known of it. */
  isConstant(node: OnnxNode, index: number): boolean {
    return !this.#unknown.has(node.inputs[index] ?? "") && this.value(node, index).kind !== "activation";
  }

  /** Numbers that no image decides, for operators that are known for nothing else. */
  constant(node: OnnxNode, index: number): Constant {
    const value = this.value(node, index);
    if (value.kind === "activation")
      throw new Unsupported("it reads what is computed from the images, expected constants or shapes");
    return value;
  }

  /** Integers that say nothing of the batch. */
  numbers(node: OnnxNode, index: number): readonly number[] {
    return Array.from(numbersOf(this.integers(node, index)));
  }

  /** Axes as an attribute, or, from `opset` on, as an input. Null: there are none. */
  axes(node: OnnxNode, index: number): readonly number[] | null {
    const attribute = node.attributes.ints("axes");
    if (attribute !== null) return attribute;
    return this.has(node, index) ? this.numbers(node, index) : null;
  }

  /** Whether nobody but the node that asks takes what `node` gives, so that it may become a part of it. */
  hasOneReader({ node }: Activation): boolean {
    return this.#readers.get(node) === 1;
  }

  /** The layer whose output `value` is, which nobody else reads: what is done to it becomes a part of the layer. Null: none. */
  layerBefore(value: Activation): OpenLayer | null {
    const isOutput = value.order === null && value.padding === null && this.hasOneReader(value);
    return isOutput ? this.writer.openLayer(value.node) : null;
  }

  #addReaders(node: NodeId, count: number): void {
    this.#readers.set(node, (this.#readers.get(node) ?? 0) + count);
  }

  #settle(value: Activation): Activation {
    const { padding, size } = value;
    if (padding === null) return value;
    const key = JSON.stringify(padding);
    const known = this.#padded.get(value.node) ?? new Map<string, NodeId>();
    this.#padded.set(value.node, known);
    let id = known.get(key);
    if (id === undefined) {
      id = this.writer.push({
        kind: "pad",
        id: this.writer.name(`${value.node}.padded`),
        inputs: [value.node],
        padding,
        channels: [0, 0],
      });
      known.set(key, id);
    }
    return { ...value, node: id, size, padding: null };
  }
}
