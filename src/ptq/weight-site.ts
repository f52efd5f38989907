import type { GranularityName } from "../config/sections/quantize-settings.ts";
import { elementsOf } from "../graph/shape.ts";
import { elementTypes } from "../onnx/element-types.ts";
import type { NodeProto } from "../onnx/generated/onnx_pb.ts";
import type { WeightMatrix } from "../quantization/weight-grid.ts";
import { floatOf, intOf } from "./file-graph.ts";

/** How a layer's weight lies in its tensor. */
export interface WeightLayout {
  readonly dims: readonly number[];
  /** The axis with a step for each index: output channels, or the rows of a table. */
  readonly axis: number;
  readonly groups: number;
}

/** What is to be known of an operator whose weight can be stored in few bits. */
export interface WeightOperator {
  /** Which input is the weight. */
  readonly slot: number;
  /** Which input is multiplied by it; null: the weight is a table that is looked up. */
  readonly data: number | null;
  /** Which input is the bias; null: it has none. */
  readonly bias: number | null;
  /** Where output channels lie; null: this node is left alone. */
  layout(node: NodeProto, dims: readonly number[]): WeightLayout | null;
  /** How often numbers are multiplied; null: never. */
  readonly macs: {
    /** The value whose size tells: the first output, or what is multiplied by the weight. */
    readonly of: "output" | "data";
    /** What the weight is multiplied by: what `data` names, or the layer's own state, which is in float. */
    readonly by: "data" | "state";
    /** Multiply-accumulates for a value of this size. */
    count(value: readonly number[], weight: readonly number[], node: NodeProto): number;
  } | null;
  /** Whether onnxruntime has a kernel of 8-bit integers for the node. */
  integer(node: NodeProto): boolean;
}

/** Each number of an output is a sum of so many products. */
const sums = (lengthOf: (weight: readonly number[], node: NodeProto) => number): WeightOperator["macs"] => ({
  ...{ of: "output", by: "data" },
  count: (value, weight, node) => elementsOf(value) * lengthOf(weight, node),
});

const recurrent = (slot: number): WeightOperator => ({
  ...{ slot, data: 0, bias: null },
  // [directions, gates · hidden, inputs]
  layout: (_, dims) => (dims.length === 3 ? { dims, axis: 1, groups: 1 } : null),
  // [steps, batch, inputs] or [batch, steps, inputs]: each step multiplies by every number.
  macs: {
    ...{ of: "data", by: slot === 1 ? "data" : "state" },
    count: (value, dims) => elementsOf(value.slice(0, -1)) * elementsOf(dims),
  },
  integer: () => false,
});

/** By operator of the standard domain, one for each weight. */
export const weightOperators: Readonly<Record<string, readonly WeightOperator[]>> = {
  Conv: [
    {
      ...{ slot: 1, data: 0, bias: 2 },
      layout: (node, dims) => (dims.length >= 3 ? { dims, axis: 0, groups: intOf(node, "group", 1) } : null),
      macs: sums(([, ...inputs]) => elementsOf(inputs)),
      integer: () => true,
    },
  ],
  ConvTranspose: [
    {
      ...{ slot: 1, data: 0, bias: 2 },
      layout: (node, dims) => (dims.length >= 3 ? { dims, axis: 1, groups: intOf(node, "group", 1) } : null),
      macs: {
        ...{ of: "data", by: "data" },
        count: (value, [, ...outputs]) => elementsOf(value) * elementsOf(outputs),
      },
      integer: () => false,
    },
  ],
  Gemm: [
    {
      ...{ slot: 1, data: 0, bias: 2 },
      layout: (node, dims) =>
        dims.length === 2 ? { dims, axis: intOf(node, "transB", 0) === 0 ? 1 : 0, groups: 1 } : null,
      macs: sums((dims, node) => dims[intOf(node, "transB", 0) === 0 ? 0 : 1] ?? 1),
      integer: (node) =>
        intOf(node, "transA", 0) === 0 && floatOf(node, "alpha", 1) === 1 && floatOf(node, "beta", 1) === 1,
    },
  ],
  MatMul: [
    {
      ...{ slot: 1, data: 0, bias: null },
      layout: (_, dims) => (dims.length >= 2 ? { dims, axis: dims.length - 1, groups: 1 } : null),
      macs: sums((dims) => dims.at(-2) ?? elementsOf(dims)),
      integer: () => true,
    },
  ],
  Gather: [
    {
      ...{ slot: 0, data: null, bias: null },
      layout: (node, dims) => (dims.length === 2 && intOf(node, "axis", 0) === 0 ? { dims, axis: 0, groups: 1 } : null),
      macs: null,
      integer: () => false,
    },
  ],
  LSTM: [recurrent(1), recurrent(2)],
  GRU: [recurrent(1), recurrent(2)],
  RNN: [recurrent(1), recurrent(2)],
};

/** Types of weights that are taken. */
export type SiteType = typeof elementTypes.float | typeof elementTypes.float16;

/** What has a step of its own: the whole weight, an output channel, or so many inputs of one. */
export type Granularity = "tensor" | "channel" | number;

/** By its name in a configuration. */
export const granularities: Readonly<Record<GranularityName, Granularity>> = {
  tensor: "tensor",
  channel: "channel",
  "block:32": 32,
  "block:64": 64,
  "block:128": 128,
};

/** A node with a weight, and the weight's sizes. */
export interface WeightedNode {
  readonly node: NodeProto;
  readonly inner: boolean;
  readonly operator: WeightOperator;
  readonly dims: readonly number[];
}

/** A node whose weight can be stored in few bits. */
export interface WeightSite {
  /** The node's name, or that of what it makes. */
  readonly name: string;
  readonly node: NodeProto;
  /** Whether the node lies in a subgraph (If, Loop, Scan): what it reads and gives is not to be had there. */
  readonly inner: boolean;
  readonly operator: WeightOperator;
  readonly layout: WeightLayout;
  readonly granularity: Granularity;
  /** The tensor of the file that the node reads, or that what it reads is made of. */
  readonly weight: string;
  /** Of what the node reads. */
  readonly type: SiteType;
  /** As the node reads it. */
  readonly values: Float32Array;
}

/** Whether onnxruntime has a kernel of 8-bit integers for a site, once what it reads is on a grid. */
export const hasIntegerKernel = ({ node, inner, operator, type, layout, granularity }: WeightSite): boolean =>
  !inner &&
  typeof granularity !== "number" &&
  operator.data !== null &&
  type === elementTypes.float &&
  operator.integer(node) &&
  !(node.opType === "MatMul" && layout.dims.length > 2);

/** The value of the graph that a weight multiplies; null: there is none, or it is in float in any case. */
export function multipliedValue({
  node,
  operator: { data, macs },
  inner,
}: Pick<WeightSite, "node" | "operator" | "inner">): string | null {
  // Names inside of a subgraph are its own.
  if (data === null || inner || macs?.by !== "data") return null;
  return node.input[data] ?? null;
}

/** What sites have in common that read one weight in one way, with the same steps: they share its codes. */
export const weightKey = ({ weight, layout, granularity }: WeightSite): string =>
  `${layout.axis} ${granularity} ${weight}`;

/** The names of the layers that read a weight. */
export const readersOf = (sites: readonly WeightSite[], key: string): readonly string[] =>
  sites.filter((site) => weightKey(site) === key).map(({ name }) => name);

/** What is asked for, where it fits: blocks need a matrix whose inputs are a multiple of them. */
export function fittingGranularity(
  wanted: Granularity,
  { opType }: NodeProto,
  { dims, axis }: WeightLayout,
): Granularity {
  if (typeof wanted !== "number") return wanted;
  const isMatrix = dims.length === 2 && (opType === "Gemm" || opType === "MatMul");
  return isMatrix && (dims[1 - axis] ?? 0) % wanted === 0 ? wanted : "channel";
}

/** Sites that read the same value, which one pass over the samples shows. */
export function byValue(sites: readonly WeightSite[]): readonly (readonly WeightSite[])[] {
  const groups = new Map<string, WeightSite[]>();
  for (const site of sites) {
    const { node, operator } = site;
    const value = operator.data === null ? `${weightKey(site)} alone` : (node.input[operator.data] ?? "");
    const group = groups.get(value);
    if (group) group.push(site);
    else groups.set(value, [site]);
  }
  return [...groups.values()];
}

/** The first site of each weight. */
export function distinctWeights(sites: readonly WeightSite[]): readonly WeightSite[] {
  const first = new Map<string, WeightSite>();
  for (const site of sites) if (!first.has(weightKey(site))) first.set(weightKey(site), site);
  return [...first.values()];
}

/** Sizes before, on and behind the axis of a layout. */
export function around({ dims, axis }: WeightLayout): readonly [outer: number, channels: number, inner: number] {
  return [elementsOf(dims.slice(0, axis)), dims[axis] ?? 1, elementsOf(dims.slice(axis + 1))];
}

/** The numbers of a tensor with its channels first: [channels, the rest in order]. */
export function toRows(layout: WeightLayout, values: Float32Array): WeightMatrix {
  const [outer, channels, inner] = around(layout);
  if (outer === 1) return { values, outputs: channels, inputs: inner };
  const rows = new Float32Array(values.length);
  for (let index = 0; index < values.length; index++) rows[rowIndex(index, outer, channels, inner)] = values[index]!;
  return { values: rows, outputs: channels, inputs: outer * inner };
}

/** Codes or values of [channels, the rest] in the tensor's own order. */
export function fromRows<T extends Int32Array | Float32Array>(layout: WeightLayout, values: T): T {
  const [outer, channels, inner] = around(layout);
  if (outer === 1) return values;
  // A typed array's slice is of its kind.
  const ordered = values.slice() as T;
  for (let index = 0; index < values.length; index++) {
    ordered[index] = values[rowIndex(index, outer, channels, inner)] ?? 0;
  }
  return ordered;
}

/** Where the element at `index` of [outer, channels, inner] stands in [channels, outer, inner]. */
function rowIndex(index: number, outer: number, channels: number, inner: number): number {
  const block = Math.floor(index / inner);
  const channel = block % channels;
  return (channel * outer + Math.floor(block / channels)) * inner + (index % inner);
}
