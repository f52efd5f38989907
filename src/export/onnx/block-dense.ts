import { at, first, last } from "../../core/elements.ts";
import { tuple } from "../../core/tuple.ts";
import { contribDomain } from "../../onnx/onnx-model.ts";
import { type RowGroup, rowGroups } from "../../quantization/row-groups.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import type { OrderedWeight } from "./layer-operators.ts";
import { packCodes } from "./packing.ts";
import type { ShortTensor } from "./weight-storage.ts";

/** Inputs that share a scale, at most and at least: the longest that its kernels take cost the fewest bytes. */
const LONGEST_BLOCK = 128;
const SHORTEST_BLOCK = 16;
/** Of MatMulNBits: sums in float32, where 4 would round its input to 8 bits. */
const FLOAT32 = 1;

interface BlockDense {
  readonly ordered: OrderedWeight;
  readonly weight: ShortTensor;
  /** Names of float32 values. */
  readonly input: string;
  readonly output: string;
}

/**
 * Adds a dense layer as MatMulNBits, whose weight keeps its 2, 4 or 8 bits in memory too. Each row of the weight is cut
 * into blocks, the last one filled with zeros; each has the scale of its row. Where rows have widths of their own, there is
 * one operator for those of each width (rows of zeros are with the narrowest), and the outputs are put in order.
 */
export function addBlockDense(graph: GraphBuilder, { ordered, weight, input, output }: BlockDense): void {
  const { id } = ordered.layer;
  const { groups, order } = rowGroups(heldBits(weight));
  if (groups.length === 1) {
    addRows(graph, { ordered, weight, input, output, name: id, group: first(groups) });
    return;
  }
  const parts = groups.map((group) => {
    const name = `${id}.int${group.bits}`;
    return addRows(graph, { ordered, weight, input, output: name, name, group });
  });
  const joined = { name: `${id}.rows`, output: order === null ? output : `${id}.rows`, attributes: { axis: -1 } };
  const rows = graph.node("Concat", parts, joined);
  if (order === null) return;
  const places = graph.int32s(`${id}.order`, Int32Array.from(order), [order.length]);
  graph.node("Gather", [rows, places], { name: `${id}.ordered`, output, attributes: { axis: -1 } });
}

/** Bits that each output channel's codes take in the file: 2, 4 or 8. */
function heldBits({ bits, channelBits, shape }: ShortTensor): ArrayLike<number> {
  if (channelBits === null) return new Uint8Array(last(shape)).fill(bits);
  const narrowest = Math.min(...channelBits.filter((bits) => bits > 0), bits);
  return channelBits.map((bits) => Math.max(bits, narrowest));
}

interface BlockRows extends BlockDense {
  /** Of the operator. */
  readonly name: string;
  readonly group: RowGroup;
}

/** Adds the operator of some rows; gives the name of its output. */
function addRows(
  graph: GraphBuilder,
  { ordered, weight, input, output, name, group: { bits, rows } }: BlockRows,
): string {
  const { layer, order, shape } = ordered;
  if (bits !== 2 && bits !== 4 && bits !== 8) throw new Error(`${layer.id}: no MatMulNBits has ${bits} bits`);
  const [, inputs] = tuple(shape, 2);
  let block = SHORTEST_BLOCK;
  while (block < inputs && block < LONGEST_BLOCK) block *= 2;
  const blocks = Math.ceil(inputs / block);
  const middle = 2 ** (bits - 1);
  const codes = new Int32Array(rows.length * blocks * block).fill(middle);
  for (const [place, row] of rows.entries()) {
    for (let input = 0; input < inputs; input++) {
      codes[place * blocks * block + input] = middle + at(weight.codes, at(order, row * inputs + input));
    }
  }
  const { scale } = weight;
  const stepOf = (row: number) => (typeof scale === "number" ? scale : at(scale, row));
  const scales = Float32Array.from({ length: rows.length * blocks }, (_, index) =>
    stepOf(at(rows, Math.floor(index / blocks))),
  );
  const shapeOfCodes = [rows.length, blocks, (block * bits) / 8];
  const packed = graph.integers(`${name}.weight.codes`, packCodes(codes, bits), shapeOfCodes, {
    bits: 8,
    signed: false,
  });
  const bias = graph.floats(
    `${name}.bias`,
    Float32Array.from(rows, (row) => at(layer.bias, row)),
    [rows.length],
  );
  const step = graph.floats(`${name}.weight.scale`, scales, [rows.length, blocks]);
  // No zero points: they are the middle where there are none. No indices of groups.
  return graph.node("MatMulNBits", [input, packed, step, "", "", bias], {
    name,
    output,
    domain: contribDomain,
    attributes: { K: inputs, N: rows.length, bits, block_size: block, accuracy_level: FLOAT32 },
  });
}
