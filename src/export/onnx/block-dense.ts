import { at } from "../../core/elements.ts";
import { tuple } from "../../core/tuple.ts";
import { contribDomain } from "../../onnx/onnx-model.ts";
import { storedBits } from "../../quantization/levels.ts";
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
  readonly bias: string;
  /** Names of float32 values. */
  readonly input: string;
  readonly output: string;
}

/**
 * Adds a dense layer as MatMulNBits, whose weight keeps its 2, 4 or 8 bits in memory too. Each row of the weight is cut
 * into blocks, the last one filled with zeros; each has the scale of its row.
 */
export function addBlockDense(graph: GraphBuilder, { ordered, weight, bias, input, output }: BlockDense): void {
  const { layer, order, shape } = ordered;
  const name = `${layer.id}.weight`;
  const [outputs, inputs] = tuple(shape, 2);
  const bits = storedBits(weight.bits);
  let block = SHORTEST_BLOCK;
  while (block < inputs && block < LONGEST_BLOCK) block *= 2;
  const blocks = Math.ceil(inputs / block);
  const middle = 2 ** (bits - 1);
  const codes = new Int32Array(outputs * blocks * block).fill(middle);
  for (const [index, from] of order.entries()) {
    const row = Math.floor(index / inputs);
    codes[row * blocks * block + (index % inputs)] = middle + at(weight.codes, from);
  }
  const { scale } = weight;
  const scales = Float32Array.from({ length: outputs * blocks }, (_, index) =>
    typeof scale === "number" ? scale : at(scale, Math.floor(index / blocks)),
  );
  const packed = graph.integers(`${name}.codes`, packCodes(codes, bits), [outputs, blocks, (block * bits) / 8], {
    bits: 8,
    signed: false,
  });
  // No zero points: they are the middle where there are none. No indices of groups.
  graph.node("MatMulNBits", [input, packed, graph.floats(`${name}.scale`, scales, [outputs, blocks]), "", "", bias], {
    name: layer.id,
    output,
    domain: contribDomain,
    attributes: { K: inputs, N: outputs, bits, block_size: block, accuracy_level: FLOAT32 },
  });
}
