import { lookup } from "../../core/lookup.ts";
import type { InputType, NodeId, Padding, Shape } from "../../graph/graph.ts";
import { kindOf, type Node, perInput } from "../../kinds/index.ts";

/** What other nodes are named after a node, here and where quantizers are added. */
const endings = [
  "",
  ".weight",
  ".bias",
  ".biased",
  ".scale",
  ".shift",
  ".quantizer",
  ".weight.quantizer",
  ".weight.folded",
];
const MAX_NAME = 100;

/** Collects the graph's nodes: their names, what they give, and those that only bring values into another shape or order. */
export abstract class GraphNodes {
  readonly #nodes = new Map<NodeId, Node>();
  readonly #shapes = new Map<NodeId, Shape>();
  /** What only brings values into another shape or order, by what it does to which. */
  readonly #moves = new Map<string, NodeId>();
  readonly #taken = new Set<string>();
  /** The number that a name which is taken was last told apart by. */
  readonly #counts = new Map<string, number>();

  /** What goes into the network, by a name that nothing has yet. */
  input(wish: string, shape: Shape, dtype: InputType): NodeId {
    return this.push({ kind: "input", id: this.name(wish), shape, dtype });
  }

  get nodes(): readonly Node[] {
    return [...this.#nodes.values()];
  }

  /** The node of a name; undefined where there is none. */
  find(id: NodeId): Node | undefined {
    return this.#nodes.get(id);
  }

  /** Puts a node of the same shape in the place of one. */
  protected replace(node: Node): void {
    this.#nodes.set(node.id, node);
  }

  protected remove(id: NodeId): void {
    this.#nodes.delete(id);
  }

  /** A name of the graph made of one of the file's: dotted, short, and nobody else's. */
  name(wish: string): string {
    const clean = wish
      .replace(/[^\p{L}\p{N}_.-]+/gu, ".")
      .replace(/\.{2,}/g, ".")
      .replace(/^\.|\.$/g, "")
      .slice(-MAX_NAME);
    const stem = clean || "node";
    let name = stem;
    while (endings.some((ending) => this.#taken.has(`${name}${ending}`))) {
      const count = (this.#counts.get(stem) ?? 1) + 1;
      this.#counts.set(stem, count);
      name = `${stem}-${count}`;
    }
    for (const ending of endings) this.#taken.add(`${name}${ending}`);
    return name;
  }

  push(node: Node): NodeId {
    this.#nodes.set(node.id, node);
    const shapeOf = (id: NodeId) => this.shapeOf(id);
    this.#shapes.set(node.id, kindOf(node).shape(node, perInput(node, shapeOf)));
    return node.id;
  }

  /** What a node gives, without the batch. */
  shapeOf(node: NodeId): Shape {
    return lookup(this.#shapes, node);
  }

  /** An image with zeros around it; the same node for who asks again. */
  padded(node: NodeId, padding: Padding): NodeId {
    return this.#moved(`${node}.padded`, JSON.stringify(padding), (id) => ({
      ...{ kind: "pad", id, inputs: [node], padding, channels: [0, 0] },
    }));
  }

  /** The same numbers in another shape, of what was there before it was last reshaped. */
  reshaped(node: NodeId, shape: Shape): NodeId {
    let source = node;
    for (
      let found = this.#nodes.get(source);
      found?.kind === "flatten" || found?.kind === "reshape";
      found = this.#nodes.get(source)
    )
      source = found.inputs[0];
    if (`${this.shapeOf(source)}` === `${shape}`) return source;
    if (shape.length === 1)
      return this.#moved(`${source}.flat`, "", (id) => ({ kind: "flatten", id, inputs: [source] }));
    return this.#moved(`${source}.reshaped`, `${shape}`, (id) => ({ kind: "reshape", id, inputs: [source], shape }));
  }

  /** The axes behind the batch in another order. */
  transposed(node: NodeId, order: readonly number[]): NodeId {
    return this.#moved(`${node}.transposed`, `${order}`, (id) => ({ kind: "transpose", id, inputs: [node], order }));
  }

  #moved(wish: string, how: string, node: (id: NodeId) => Node): NodeId {
    const key = `${wish} ${how}`;
    const known = this.#moves.get(key) ?? this.push(node(this.name(wish)));
    this.#moves.set(key, known);
    return known;
  }

  /** Shares of the last axis; the same node for who asks again. */
  softmax(node: NodeId): NodeId {
    return this.#moved(`${node}.softmax`, "", (id) => ({ kind: "softmax", id, inputs: [node] }));
  }
}
