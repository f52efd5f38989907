import { first } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import type { FrozenNetwork, FrozenNode } from "../frozen-network.ts";
import type { Codes } from "./codes.ts";
import { GraphBuilder } from "./graph-builder.ts";
import { type FileValue, innerName, inputName, type LowerOptions, valueName } from "./model-frame.ts";
import type { WeightStorage } from "./weight-storage.ts";

/** A file of a form with integer kernels while it is written: its graph, and what stands for each node's value. */
export class IntegerFile {
  readonly network: FrozenNetwork;
  readonly options: LowerOptions;
  readonly storage: WeightStorage;
  readonly graph = new GraphBuilder();
  /** Values that are codes, by node. */
  readonly codes = new Map<string, Codes>();
  /** Biases that rounding to int32 has moved, by layer. */
  readonly biases = new Map<string, Float32Array>();
  readonly notes: string[] = [];
  /** Layers whose products may saturate on some processors. */
  readonly saturating: string[] = [];
  /** Names of values in float32, by node. */
  readonly #floats = new Map<string, string>();
  readonly #readers = new Map<string, FrozenNode[]>();

  constructor(network: FrozenNetwork, options: LowerOptions, storage: WeightStorage) {
    this.network = network;
    this.options = options;
    this.storage = storage;
    for (const node of network.nodes) {
      for (const id of node.inputs) this.#readers.set(id, [...this.readers(id), node]);
    }
  }

  /** The nodes that read a node's value. */
  readers(id: string): readonly FrozenNode[] {
    return this.#readers.get(id) ?? [];
  }

  /** Says that `name` is a node's value in float32; gives the name. */
  hasFloat({ id }: FrozenNode, name: string): string {
    this.#floats.set(id, name);
    return name;
  }

  /** The name of a node's float value, which it makes itself. */
  own(node: FrozenNode): string {
    return this.hasFloat(node, valueName(this.network, node));
  }

  /** The float value of a node, dequantized where it has none. */
  float(id: string): string {
    const present = this.#floats.get(id);
    if (present !== undefined) return present;
    const codes = lookup(this.codes, id);
    const output = id === first(this.network.nodes).id ? `${inputName}.normalized` : innerName(id);
    this.#floats.set(id, output);
    return this.graph.node("DequantizeLinear", [codes.name, ...codes.grid], { name: `${id}.dequantize`, output });
  }

  /** Adds scale and zero point of codes; gives their names. */
  grid(id: string, scale: number, zeroPoint: number): readonly [scale: string, zeroPoint: string] {
    return [this.graph.floats(`${id}.scale`, [scale], []), this.byte(`${id}.zero-point`, zeroPoint)];
  }

  byte(name: string, value: number): string {
    return this.graph.integers(name, [value], [], { bits: 8, signed: false });
  }

  /** What stands for each node's value: codes where there are any. */
  get values(): ReadonlyMap<string, FileValue> {
    const values = new Map<string, FileValue>();
    for (const [id, name] of this.#floats) values.set(id, { name, scale: null, zeroPoint: 0 });
    for (const [id, { name, scale, zeroPoint }] of this.codes) values.set(id, { name, scale, zeroPoint });
    return values;
  }
}
