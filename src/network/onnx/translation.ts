import type { NodeId } from "../../graph/graph.ts";
import { inputsOf } from "../../graph/walk.ts";
import type { Allowance } from "./allowance.ts";
import { asImage, channelsFirst, type Image, imageOf, liesAs, trailing } from "./arrangement.ts";
import type { GraphWriter, OpenLayer } from "./graph-writer.ts";
import { type ModelGraph, numbersRead, type OnnxNode } from "./model-graph.ts";
import { Damaged, Unknown, Unsupported } from "./problems.ts";
import { decodeTensor } from "./tensors.ts";
import { type Activation, type Constant, type Floats, type Integers, numbersOf, type Value } from "./value.ts";

/** Kinds of nodes whose sums and parts of masks hide what these hide. */
const carrying: ReadonlySet<string> = new Set("add affine concat flatten reshape slice transpose".split(" "));

/** Makes of a node of the file what the graph has for it. Attributes come first: they can be judged without inputs. */
export type Operator = (node: OnnxNode, translation: Translation) => Value | readonly Value[];

/** What is known so far while the file's nodes are gone through. */
export class Translation {
  readonly opset: number;
  readonly graph: ModelGraph;
  readonly writer: GraphWriter;
  /** Of the numbers that are made of the file's. */
  readonly made: Allowance;
  readonly #values = new Map<string, Value>();
  readonly #unknown = new Set<string>();
  /** How many take what a node of the graph gives, under whichever of its names in the file. */
  readonly #readers = new Map<NodeId, number>();
  /** Nodes of the graph that stand for what is -∞ in places. */
  readonly #hiding = new Set<NodeId>();

  constructor(graph: ModelGraph, opset: number, writer: GraphWriter) {
    this.graph = graph;
    this.opset = opset;
    this.writer = writer;
    this.made = writer.made;
  }

  /** The size of the batch, where the file allows only one. */
  get batch(): number | null {
    const [size, ...others] = new Set(this.graph.inputs.map(({ shape }) => shape[0] ?? null));
    return others.length === 0 ? (size ?? null) : null;
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
    if (value.kind === "activation") this.#addReaders(value.node, this.graph.readers.get(name) ?? 0);
  }

  /** What `node` gives. Where that is what it reads, its name is one more for the same thing, and it is no reader. */
  setOutputs(node: OnnxNode, values: readonly Value[]): void {
    for (const [index, value] of values.entries()) this.#setOutput(node, node.outputs[index] ?? "", value);
  }

  #setOutput(node: OnnxNode, name: string, value: Value): void {
    if (value.kind === "activation") {
      for (const source of numbersRead(node, this.graph.readers)) {
        const read = this.#values.get(source);
        if (read?.kind === "activation" && read.node === value.node) this.#addReaders(value.node, -1);
      }
    }
    this.set(name, value);
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
    const whole = this.#withEnding(value);
    return keepPadding ? whole : this.padded(whole);
  }

  /** A value with what was left to those that read it: a Softmax, or zeros around it. */
  settled(value: Activation): Activation {
    return this.padded(this.#withEnding(value));
  }

  #withEnding(value: Activation): Activation {
    if (value.ending === null) return value;
    if (value.ending === "log-softmax") throw new Unsupported("it reads a LogSoftmax, which can only stand at the end");
    const { value: row } = trailing(value, [1], this.writer);
    return { ...row, node: this.writer.softmax(row.node), ending: null };
  }

  /** What a node of the graph gives, as [batch, channels, height, width]; a Pad of it stays one if `keepPadding`. */
  image(node: OnnxNode, { keepPadding = false } = {}): Image {
    const given = this.activation(node, 0, { keepPadding: true });
    const value = given.axes.length === 3 ? asImage(this.padded(given)) : given;
    const fits = keepPadding && value.axes.length === 4 && liesAs(value, channelsFirst);
    return imageOf(fits ? value : this.padded(value), this.writer);
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

  /** Whether a softmax alone takes what a node of the file gives, as scores or as a part of them. */
  givesScores({ outputs }: OnnxNode): boolean {
    return this.graph.scores.has(outputs[0] ?? "");
  }

  /** Says that what a node of the graph gives is -∞ in places: as good as that, as it is computed with. */
  addHiding({ node }: Pick<Activation, "node">): void {
    this.#hiding.add(node);
  }

  /** Whether scores may be -∞ altogether: such a mask is a part of them. */
  mayBeHidden({ node }: Pick<Activation, "node">): boolean {
    const reached = new Set([node]);
    for (const id of reached) {
      if (this.#hiding.has(id)) return true;
      const found = this.writer.find(id);
      if (found !== undefined && carrying.has(found.kind)) for (const input of inputsOf(found)) reached.add(input);
    }
    return false;
  }

  /** Whether nobody but the node that asks takes what `node` gives, so that it may become a part of it. */
  hasOneReader({ node }: Activation): boolean {
    return this.#readers.get(node) === 1;
  }

  /** The layer whose output `value` is, which nobody else reads: what is done to it becomes a part of the layer. Null: none. */
  layerBefore(value: Activation): OpenLayer | null {
    return value.padding === null && this.hasOneReader(value) ? this.writer.openLayer(value.node) : null;
  }

  #addReaders(node: NodeId, count: number): void {
    this.#readers.set(node, (this.#readers.get(node) ?? 0) + count);
  }

  /** A value with zeros around it that were left to those that read it; an ending stays one. */
  padded(value: Activation): Activation {
    if (value.padding === null) return value;
    const node = this.writer.padded(value.node, value.padding);
    return { ...value, node, shape: this.writer.shapeOf(node), padding: null };
  }
}
