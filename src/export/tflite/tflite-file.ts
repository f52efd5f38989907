import type { ExportInput } from "../../config/sections/export-settings.ts";
import { first } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import type { FrozenNetwork, FrozenNode, FrozenQuantizer } from "../frozen-network.ts";
import { type FileValue, valueName } from "../onnx/model-frame.ts";
import { codesBehind, type Limits, scaleOf } from "./codes-behind.ts";
import { type TensorGrid, TensorType, TfliteBuilder } from "./tflite-builder.ts";

export interface TfliteOptions {
  readonly input: ExportInput;
  /** Goes into the file's metadata. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The largest and the smallest int8. */
const LARGEST = 127;
const SMALLEST = -128;

/** An activation as int8. */
export interface TfliteCodes extends TensorGrid {
  readonly name: string;
  readonly scale: number;
  readonly limits: Limits;
}

/** A TensorFlow Lite file while it is written: its operators, and what stands for each node's value. */
export class TfliteFile {
  readonly network: FrozenNetwork;
  readonly options: TfliteOptions;
  readonly builder = new TfliteBuilder();
  /** Values that are codes, by node. */
  readonly codes = new Map<string, TfliteCodes>();
  /** Biases that rounding to int32 has moved, by layer. */
  readonly biases = new Map<string, Float32Array>();
  /** Nodes that are part of the operator of one before them. */
  readonly merged = new Set<string>();
  readonly notes: string[] = [];
  /** Multiplied codes, by name. */
  readonly #multiplied = new Map<string, TfliteCodes>();
  /** Names of values in float32, by node. */
  readonly #floats = new Map<string, string>();
  readonly #nodes: ReadonlyMap<string, FrozenNode>;
  readonly #readers = new Map<string, FrozenNode[]>();

  constructor(network: FrozenNetwork, options: TfliteOptions) {
    this.network = network;
    this.options = options;
    this.#nodes = new Map(network.nodes.map((node) => [node.id, node]));
    for (const node of network.nodes) {
      for (const id of node.inputs) this.#readers.set(id, [...this.readers(id), node]);
    }
  }

  node(id: string): FrozenNode {
    return lookup(this.#nodes, id);
  }

  /** The nodes that read a node's value. */
  readers(id: string): readonly FrozenNode[] {
    return this.#readers.get(id) ?? [];
  }

  /** Says that `name` is a node's value in float32. */
  hasFloat({ id }: Pick<FrozenNode, "id">, name: string): void {
    this.#floats.set(id, name);
  }

  /** Adds the float value of a node, which it makes itself; gives the name. */
  own(node: FrozenNode): string {
    const name = this.builder.value(valueName(this.network, node), { shape: node.outputShape });
    this.hasFloat(node, name);
    return name;
  }

  /** The float value of a node, dequantized where it has none. */
  float(id: string): string {
    const present = this.#floats.get(id);
    if (present !== undefined) return present;
    return this.builder.operator("Dequantize", [lookup(this.codes, id).name], this.own(this.node(id)));
  }

  /**
   * Adds the codes of a quantizer, between two limits that are its own or closer. The largest stands at 127, so that
   * kernels saturate there; the smallest is where kernels saturate too, or 0, where a fused ReLU ends, or has an
   * operator of its own.
   *
   * @param write Adds what gives the int8 value of that name; it is ≥ 0 where it is asked for ReLU.
   * @param relu Whether it can, or its values are ≥ 0 anyway.
   */
  addCodes(
    { id, outputShape, ...quantizer }: FrozenQuantizer,
    [lowest, highest]: Limits,
    { relu, write }: { readonly relu: boolean; write(name: string, relu: boolean): void },
  ): void {
    const grid = { scale: scaleOf(quantizer), zeroPoint: LARGEST - highest };
    const type = TensorType.INT8;
    const value = { shape: outputShape, type, grid };
    const isOpen = lowest + grid.zeroPoint > SMALLEST;
    const isClipped = isOpen && !(relu && lowest === 0);
    const name = this.builder.value(`${id}.codes`, value);
    write(isClipped ? this.builder.value(`${id}.saturated`, value) : name, isOpen && !isClipped);
    if (isClipped) {
      const bound = this.builder.constant(`${id}.lowest`, Uint8Array.of(lowest + grid.zeroPoint), {
        shape: [1],
        type,
        grid,
      });
      this.builder.operator("Maximum", [`${id}.saturated`, bound], name);
    }
    this.codes.set(id, { name, ...grid, limits: [lowest, highest] });
  }

  /** Codes that stand for the same values as a node's, each `multiple` times as large. */
  multiplied({ id, outputShape }: FrozenNode, multiple: number): TfliteCodes {
    const codes = lookup(this.codes, id);
    if (multiple === 1) return codes;
    const [lowest, highest] = codes.limits;
    const limits = [lowest * multiple, highest * multiple] as const;
    const grid = { scale: Math.fround(codes.scale / multiple), zeroPoint: LARGEST - limits[1] };
    const name = `${id}.multiplied`;
    const present = this.#multiplied.get(name);
    if (present !== undefined) return present;
    this.builder.operator(
      "Quantize",
      [codes.name],
      this.builder.value(name, { shape: outputShape, type: TensorType.INT8, grid }),
    );
    const multiplied = { name, ...grid, limits };
    this.#multiplied.set(name, multiplied);
    return multiplied;
  }

  /** Where the codes of a node go that gives int8 by itself; null where something reads it before it is quantized. */
  codesBehind(node: FrozenNode) {
    return codesBehind(node, this.network.output, (id) => this.readers(id));
  }

  /** The codes that a node with one input reads, if it does. */
  codesBefore(node: FrozenNode): TfliteCodes | undefined {
    return this.codes.get(first(node.inputs));
  }

  /** What stands for each node's value: codes where there are any. */
  get values(): ReadonlyMap<string, FileValue> {
    const values = new Map<string, FileValue>();
    for (const [id, name] of this.#floats) values.set(id, { name, scale: null, zeroPoint: 0 });
    for (const [id, { name, scale, zeroPoint }] of this.codes) values.set(id, { name, scale, zeroPoint });
    return values;
  }
}
