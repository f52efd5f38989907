import { create } from "@bufbuild/protobuf";
import { type EncodedModel, encodeModel } from "../onnx/encode-model.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  type TensorProto,
} from "../onnx/generated/onnx_pb.ts";
import { contribDomain, isStandardDomain, type Model, withGraph } from "../onnx/onnx-model.ts";
import { freeName, namesIn, readsOf } from "./value-names.ts";

/** A node's place in the list, behind what it reads. */
interface Placed {
  readonly node: NodeProto;
  /** New nodes that have to stand directly behind it. */
  readonly behind: NodeProto[];
}

/**
 * A model's graph, to be changed in places: what is not touched stays as it is. Nodes keep their order; new ones stand
 * beside the one that they belong to.
 */
export class FileGraph {
  readonly model: Model;
  readonly #placed: readonly Placed[];
  readonly #byNode: Map<NodeProto, Placed>;
  readonly #makers = new Map<string, Placed>();
  readonly #readers = new Map<string, NodeProto[]>();
  readonly #initializers: Map<string, TensorProto>;
  readonly #names: Set<string>;
  readonly #front: NodeProto[] = [];
  readonly #removed = new Set<NodeProto>();

  constructor(model: Model) {
    this.model = model;
    const { graph } = model;
    this.#placed = graph.node.map((node) => ({ node, behind: [] }));
    this.#byNode = new Map(this.#placed.map((placed) => [placed.node, placed]));
    for (const placed of this.#placed) for (const name of placed.node.output) this.#makers.set(name, placed);
    this.#initializers = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
    this.#names = new Set(namesIn(graph));
    for (const node of graph.node) {
      for (const name of readsOf(node)) {
        const readers = this.#readers.get(name);
        if (readers) readers.push(node);
        else this.#readers.set(name, [node]);
      }
    }
  }

  get nodes(): readonly NodeProto[] {
    return this.#placed.map(({ node }) => node).filter((node) => !this.#removed.has(node));
  }

  makerOf(value: string): NodeProto | null {
    return this.#makers.get(value)?.node ?? null;
  }

  initializer(name: string): TensorProto | null {
    return this.#initializers.get(name) ?? null;
  }

  isOutput = (name: string): boolean => this.model.graph.output.some((output) => output.name === name);

  /** The nodes of the file that read a value, those whose subgraphs do included. */
  readersOf(value: string): readonly NodeProto[] {
    return (this.#readers.get(value) ?? []).filter((node) => !this.#removed.has(node));
  }

  /** A name that nothing in the file has, made of `wanted`. */
  freeName(wanted: string): string {
    const name = freeName(wanted, this.#names);
    this.#names.add(name);
    return name;
  }

  /** Adds a constant, or puts it in the place of the one of its name; gives the name. */
  setInitializer(tensor: TensorProto): string {
    this.#initializers.set(tensor.name, tensor);
    return tensor.name;
  }

  /** A constant takes the place of what a node makes under its name; nodes that were there for it alone go. */
  settle(tensor: TensorProto): void {
    const maker = this.makerOf(tensor.name);
    const unread = this.freeName(`${tensor.name}.computed`);
    if (maker) maker.output = maker.output.map((made) => (made === tensor.name ? unread : made));
    this.#makers.delete(tensor.name);
    this.setInitializer(tensor);
    const waiting = [maker];
    for (let node = waiting.pop(); node; node = waiting.pop()) {
      if (node.output.some((name) => this.readersOf(name).length > 0 || this.isOutput(name))) continue;
      this.remove(node);
      waiting.push(...Array.from(readsOf(node), (name) => this.makerOf(name)));
    }
  }

  /** Adds a node that reads constants or inputs alone, in front of all others; gives the name of what it makes. */
  addFirst(opType: string, inputs: readonly string[], options: NewNode): string {
    return this.#add(this.#front, opType, inputs, options);
  }

  /** Adds a node directly behind another, and what was added there before. */
  addBehind(node: NodeProto, opType: string, inputs: readonly string[], options: NewNode): string {
    const placed = this.#byNode.get(node);
    if (placed === undefined) throw new Error(`${node.name} is not in the graph`);
    return this.#add(placed.behind, opType, inputs, options);
  }

  #add(
    list: NodeProto[],
    opType: string,
    inputs: readonly string[],
    { output, domain = "", attributes = [] }: NewNode,
  ) {
    const name = this.freeName(`${output}/${opType}`);
    const plain = { opType, domain, name, input: [...inputs], output: [output], attribute: [...attributes] };
    const node = create(NodeProtoSchema, plain);
    list.push(node);
    // What is added behind it later stands behind it in the same list.
    const placed = { node, behind: list };
    this.#byNode.set(node, placed);
    this.#makers.set(output, placed);
    if (domain === contribDomain) this.#importDomain(contribDomain);
    return output;
  }

  #importDomain(domain: string): void {
    const { opsetImport } = this.model;
    if (opsetImport.some((found) => found.domain === domain)) return;
    opsetImport.push(create(OperatorSetIdProtoSchema, { domain, version: 1n }));
  }

  /** A value is made under another name now: `node` makes `to` in place of `from`. */
  moved(from: string, to: string, node: NodeProto): void {
    const placed = this.#makers.get(from);
    if (placed?.node !== node) throw new Error(`${from} is made by another node`);
    this.#makers.delete(from);
    this.#makers.set(to, placed);
  }

  /** Removes a node; what it made must have another maker, or no reader. */
  remove(node: NodeProto): void {
    this.#removed.add(node);
  }

  /** The model as it stands, with what nothing reads any more. */
  preview(): Model {
    const { node, initializer } = this.#lists();
    return withGraph(this.model, { node, initializer });
  }

  #lists() {
    return {
      node: [
        ...this.#front,
        ...this.#placed.flatMap(({ node, behind }) => [...(this.#removed.has(node) ? [] : [node]), ...behind]),
      ],
      initializer: [...this.#initializers.values()],
    };
  }

  /** The file as it stands now. */
  encode(): EncodedModel {
    return encodeModel(this.finish());
  }

  /** Writes the changes into the model. What was read, and is not any more, goes. */
  finish(): Model {
    const { graph } = this.model;
    const wanted = new Set(graph.output.map(({ name }) => name));
    const isUseless = (name: string) => !wanted.has(name) && this.#readers.has(name);
    const kept: NodeProto[] = [];
    for (const node of this.#lists().node.toReversed()) {
      const made = node.output.filter((name) => name !== "");
      if (made.length > 0 && made.some(isUseless) && made.every((name) => !wanted.has(name))) continue;
      for (const name of readsOf(node)) wanted.add(name);
      kept.push(node);
    }
    graph.node = kept.reverse();
    graph.input = graph.input.filter(({ name }) => !(this.#initializers.has(name) && isUseless(name)));
    graph.initializer = [...this.#initializers.values()].filter(({ name }) => !isUseless(name));
    return this.model;
  }
}

export interface NewNode {
  /** The name of what it makes. */
  readonly output: string;
  readonly domain?: string;
  readonly attributes?: readonly AttributeProto[];
}

export const operatorOf = ({ domain, opType }: NodeProto): string =>
  isStandardDomain(domain) ? opType : `${domain}.${opType}`;

export const intAttribute = (name: string, i: number): AttributeProto =>
  create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(i) });

export const intsAttribute = (name: string, ints: readonly number[]): AttributeProto =>
  create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: ints.map(BigInt) });

const attributeOf = ({ attribute }: NodeProto, name: string, type: AttributeType): AttributeProto | undefined =>
  attribute.find((one) => one.name === name && one.type === type);

/** An integer attribute, or what stands for it where the file has none. */
export const intOf = (node: NodeProto, name: string, fallback: number): number =>
  Number(attributeOf(node, name, AttributeType.INT)?.i ?? fallback);

export const floatOf = (node: NodeProto, name: string, fallback: number): number =>
  attributeOf(node, name, AttributeType.FLOAT)?.f ?? fallback;

/** A list of integers; null where the file has none. */
export const intsOf = (node: NodeProto, name: string): readonly number[] | null =>
  attributeOf(node, name, AttributeType.INTS)?.ints.map(Number) ?? null;

/** A text; null where the file has none. */
export function textOf(node: NodeProto, name: string): string | null {
  const found = attributeOf(node, name, AttributeType.STRING);
  return found ? new TextDecoder().decode(found.s) : null;
}
