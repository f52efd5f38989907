import { z } from "zod";
import { applyByKind, type ByKind } from "../core/by-kind.ts";
import { at, last } from "../core/elements.ts";
import { storedCodeBits } from "../quantization/code-bytes.ts";
import { codeLimits, stepSize } from "../quantization/grid.ts";
import { clipFactor, storedBits } from "../quantization/levels.ts";
import { codebookSize } from "../quantization/product/codebook-size.ts";
import { rowWidth } from "../quantization/row-groups.ts";
import type {
  FrozenCodebook,
  FrozenCodedEmbedding,
  FrozenLayer,
  FrozenNetwork,
  FrozenNode,
  FrozenQuantizer,
  IntegerTensor,
} from "./frozen-network.ts";

const channels = z.object({
  kept: z.array(z.int().nonnegative()).describe("indices, before pruning, of the channels that are left"),
  of: z.int().positive().describe("channels before pruning"),
});

const tensor = z.object({
  name: z.string().describe("as in the ONNX files"),
  role: z.enum(["weight", "activation"]),
  bits: z.literal([2, 3, 4, 8, 16, 32]).describe("of the grid; 32: float32"),
  storedBits: z.literal([2, 4, 8, 16, 32]).describe("that an element takes in a packed file: 4 for a grid of 3 bits"),
  channelBits: z
    .array(z.literal([0, 2, 3, 4, 8, 16]))
    .optional()
    .describe(
      "where output channels have widths of their own: that of each index of the last axis; 0: all zeros; bits, storedBits and codes are of the widest",
    ),
  signed: z.boolean(),
  scale: z
    .union([z.number(), z.array(z.number())])
    .nullable()
    .describe("value = scale · (code - zeroPoint); a list has one for each index of the last axis; null: float32"),
  zeroPoint: z.literal(0).nullable().describe("all grids have 0 at code 0; null: float32"),
  codes: z.tuple([z.int(), z.int()]).nullable().describe("smallest and largest code; null: float32"),
  range: z
    .tuple([z.number(), z.number()])
    .nullable()
    .describe(
      "smallest and largest value of the grid, of the widest one where there are several; null: a float32 weight that is not clipped",
    ),
  codebook: z
    .object({
      blockSize: z
        .int()
        .positive()
        .describe(
          "neighbouring inputs of an output channel, in the order input channel, kernel row, kernel column, that have one code",
        ),
      centroids: z.int().positive().describe("blocks that codes name"),
      codeBits: z.literal([2, 4, 8, 16]).describe("that a code takes in a file"),
      codes: z
        .tuple([z.int().positive(), z.int().positive()])
        .describe("shape of the codes: pieces of an output's inputs, output channels"),
    })
    .optional()
    .describe(
      "where the weight is codes into a table of blocks of float16 numbers, which are its values: it has no grid then",
    ),
  coded: z
    .object({
      codewords: z.int().positive().describe("of each group, which codes name"),
      codeBits: z.literal([2, 4, 8, 16]).describe("that a code takes in a file"),
      codes: z.tuple([z.int().positive(), z.int().positive()]).describe("shape of the codes: tokens, groups"),
      tables: z.int().positive().describe("of codewords: one for each group, or one that all share"),
    })
    .optional()
    .describe(
      "where a table of embeddings is codes, and codewords of float32 that stand side by side: it has no grid then",
    ),
  shape: z
    .array(z.int().positive())
    .describe(
      "after pruning; convolution: kernel height, kernel width, in (of a group), out; dense: in, out; embedding: tokens, units; image: height, width, channels",
    ),
  channels: channels.describe("the last axis"),
});

/** `bits.json`: what each tensor needs, for those who build hardware or write kernels. */
export const bitsSchema = z
  .object({
    format: z.literal("bayesian-bits-tensors"),
    version: z.literal(1),
    network: z.string(),
    tensors: z.array(tensor).describe("in the order of computation"),
  })
  .describe("The learned bit-width, grid and channels of every tensor of a network");

export type BitsFile = z.infer<typeof bitsSchema>;

/** The content of `bits.json` for a network. */
export function bitsFile(network: FrozenNetwork): BitsFile {
  const tensors = network.nodes.flatMap((node) => applyByKind(entries, node));
  return { format: "bayesian-bits-tensors", version: 1, network: network.name, tensors };
}

/**
 * The learned bits of every tensor, as JSON: `{"conv1.weight":2,"conv1.quantizer":4}`; where rows have widths of their own,
 * how many have each: `{"conv2.weight":{"2":30,"8":10}}`.
 */
export const bitsOf = (network: FrozenNetwork): string =>
  JSON.stringify(
    Object.fromEntries(
      bitsFile(network).tensors.map(({ name, bits, channelBits }) => [
        name,
        channelBits === undefined ? bits : rowsByWidth(channelBits),
      ]),
    ),
  );

function rowsByWidth(channelBits: readonly number[]): Readonly<Record<number, number>> {
  const rows: Record<number, number> = {};
  for (const bits of channelBits) rows[bits] = (rows[bits] ?? 0) + 1;
  return rows;
}

type Entry = BitsFile["tensors"][number];

const none = () => [];

/** The tensors that each kind of node has. */
const entries: ByKind<FrozenNode, [], readonly Entry[]> = {
  input: none,
  conv2d: (layer) => [weightEntry(layer)],
  "depthwise-conv2d": (layer) => [weightEntry(layer)],
  "conv-transpose": (layer) => [weightEntry(layer)],
  dense: (layer) => [weightEntry(layer)],
  embedding: (node) => [weightEntry(node)],
  "coded-embedding": (node) => [codedEntry(node)],
  affine: none,
  "max-pool": none,
  "average-pool": none,
  "global-average-pool": none,
  "masked-mean": none,
  resize: none,
  relu: none,
  nonlinear: none,
  add: none,
  multiply: none,
  concat: none,
  pad: none,
  select: none,
  flatten: none,
  reshape: none,
  transpose: none,
  slice: none,
  softmax: none,
  "masked-softmax": none,
  "token-mask": none,
  "layer-norm": none,
  matmul: none,
  quantizer: (quantizer) => [activationEntry(quantizer)],
};

function weightEntry({
  id,
  weight,
  keptOutputs,
  unprunedOutputs,
}: Pick<FrozenLayer, "id" | "weight" | "keptOutputs" | "unprunedOutputs">): Entry {
  const entry = {
    name: `${id}.weight`,
    role: "weight" as const,
    signed: true,
    shape: [...weight.shape],
    channels: { kept: [...keptOutputs], of: unprunedOutputs },
  };
  const { bits } = weight;
  if (bits === 32) {
    const { codebook } = weight;
    return {
      ...entry,
      ...{ bits, storedBits: bits, scale: null, zeroPoint: null, codes: null, range: null },
      ...(codebook && { codebook: codebookEntry(codebook, weight.shape) }),
    };
  }
  const grid = gridOf(weight.scale, codeLimits(bits, true));
  const common = { ...entry, bits, storedBits: storedBits(bits) };
  const { channelBits } = weight;
  if (channelBits === null) return { ...common, ...grid };
  return {
    ...common,
    channelBits: Array.from(channelBits, rowWidth),
    ...grid,
    range: rangeOfRows(weight, channelBits),
  };
}

function codedEntry({ id, codes, groups, valuesShape: [tables, codewords, units] }: FrozenCodedEmbedding): Entry {
  const vocabulary = codes.length / groups;
  const width = groups * units;
  return {
    ...{ name: `${id}.weight`, role: "weight", signed: true, shape: [vocabulary, width] },
    channels: { kept: Array.from({ length: width }, (_, unit) => unit), of: width },
    ...{ bits: 32, storedBits: 32, scale: null, zeroPoint: null, codes: null, range: null },
    coded: { codewords, codeBits: storedCodeBits(codewords), codes: [vocabulary, groups], tables },
  };
}

function codebookEntry({ blockSize, codes, centroids }: FrozenCodebook, shape: readonly number[]): Entry["codebook"] {
  const count = centroids.length / blockSize;
  const outputs = last(shape);
  const { codeBits } = codebookSize(codes.length, { centroids: count, blockSize });
  return { blockSize, centroids: count, codeBits, codes: [codes.length / outputs, outputs] };
}

/** The outermost values of the row that reaches farthest. */
function rangeOfRows({ scale }: IntegerTensor, channelBits: Uint8Array): [number, number] {
  const ends = Array.from(channelBits, rowWidth).map((bits, channel) =>
    bits === 0 ? 0 : codeLimits(bits, true)[1] * (typeof scale === "number" ? scale : at(scale, channel)),
  );
  const highest = Math.max(...ends);
  return [-highest, highest];
}

function activationEntry({ id, bits, signed, xMax, outputShape, kept, channels }: FrozenQuantizer): Entry {
  const entry = {
    name: id,
    role: "activation" as const,
    signed,
    shape: [...outputShape],
    channels: { kept: [...kept], of: channels },
  };
  if (bits === 32) {
    const high = xMax * clipFactor;
    const range: [number, number] = [signed ? -high : 0, high];
    return { ...entry, bits, storedBits: bits, scale: null, zeroPoint: null, codes: null, range };
  }
  return { ...entry, bits, storedBits: bits, ...gridOf(stepSize(bits, { xMax, signed }), codeLimits(bits, signed)) };
}

function gridOf(scale: number | Float32Array, [lowest, highest]: readonly [number, number]) {
  const codes: [number, number] = [lowest, highest];
  const widest = typeof scale === "number" ? scale : Math.max(...scale);
  const range: [number, number] = [lowest * widest, highest * widest];
  return {
    scale: typeof scale === "number" ? scale : [...scale],
    zeroPoint: 0 as const,
    codes,
    range,
  };
}
