import { z } from "zod";
import { at, first } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import { storedCodeBits } from "../quantization/code-bytes.ts";
import { storedBits } from "../quantization/levels.ts";
import { symmetricCodes, weightBits } from "../quantization/weight-grid.ts";
import { widestWidth } from "../quantization/weight-widths.ts";
import type { ActivationGrid } from "./activation-grid.ts";
import type { ClusteredSite } from "./cluster-sites.ts";
import type { SolvedSite } from "./solve-site.ts";
import { distinctWeights, readersOf, weightKey } from "./weight-site.ts";

const range = z.tuple([z.number(), z.number()]).describe("smallest and largest value of the grid, of the widest one");
const codes = z.tuple([z.int(), z.int()]).describe("smallest and largest code");

const weight = z.object({
  name: z
    .string()
    .describe(
      "as in the file that went in: what its layers read; of a constant inside of a subgraph with a number behind it",
    ),
  role: z.literal("weight"),
  layers: z.array(z.string()).describe("the nodes that read it"),
  shape: z.array(z.int().positive()).describe("in the order of the ONNX file"),
  bits: z.literal(weightBits).describe("of the grid"),
  storedBits: z.literal([2, 4, 8]).describe("that an element takes in the file: 4 for a grid of 3 bits"),
  channelBits: z
    .array(z.literal(weightBits))
    .optional()
    .describe(
      "where output channels have widths of their own: that of each index of the axis; bits, storedBits and codes are of the widest",
    ),
  signed: z.literal(true),
  granularity: z
    .union([z.literal(["tensor", "channel"]), z.int().positive()])
    .describe("what has a step: the whole weight, an index of the axis, or so many inputs of one"),
  axis: z.int().nonnegative().describe("of the shape: that of the output channels, or of the rows of a table"),
  scale: z
    .union([z.number(), z.array(z.number())])
    .describe(
      "value = scale · (code - zeroPoint), in float32; a list has one for each index of the axis, with blocks all blocks of index 0 first",
    ),
  zeroPoint: z.literal(0),
  ...{ codes, range },
});

const codebookWeight = weight.pick({ name: true, role: true, layers: true, shape: true }).extend({
  axis: weight.shape.axis,
  codebook: z
    .object({
      blockSize: z
        .int()
        .positive()
        .describe("neighbouring inputs of an output channel, in the tensor's order, that have one code"),
      centroids: z.int().positive().describe("blocks that codes name"),
      codeBits: z.literal([2, 4, 8, 16]).describe("that a code takes in the file"),
      codes: z
        .tuple([z.int().positive(), z.int().positive()])
        .describe("shape of the codes: pieces of an output's inputs, output channels"),
    })
    .describe("codes into a table of blocks of float16 numbers, which are the weight's values"),
});

const activation = z.object({
  name: z.string().describe("of the value in the file that went in"),
  role: z.literal("activation"),
  bits: z.int().positive().describe("8 or 16"),
  storedBits: z.int().positive(),
  signed: z.literal(false),
  scale: z.number().describe("value = scale · (code - zeroPoint), in float32"),
  zeroPoint: z.int().nonnegative(),
  ...{ codes, range },
});

/** `bits.json` of a quantized file: the bits and grid of every tensor that has one, for those who write kernels. */
export const quantizedBitsSchema = z
  .object({
    format: z.literal("bayesian-bits-quantized-tensors"),
    version: z.literal(1),
    relativeBops: z
      .number()
      .optional()
      .describe("bit operations in percent of those at 32 bits everywhere, where they had a budget"),
    network: z.string().describe("the name of the file that went in"),
    tensors: z.array(z.union([weight, activation])).describe("weights, then activations; all others are as they were"),
    codebooks: z.array(codebookWeight).optional().describe("weights that are codes into codebooks"),
  })
  .describe("The bit-width and grid of every quantized tensor of an ONNX file");

export type QuantizedBits = z.infer<typeof quantizedBitsSchema>;
type Entry = QuantizedBits["tensors"][number];

/** The content of `bits.json` for a file of this name. */
export function quantizedBits(
  network: string,
  {
    solved,
    grids,
    relativeBops,
    clustered = [],
  }: {
    readonly solved: readonly SolvedSite[];
    /** Weights that are codes into codebooks. */
    readonly clustered?: readonly ClusteredSite[];
    readonly grids: ReadonlyMap<string, ActivationGrid>;
    /** null: they had no budget. */
    readonly relativeBops: number | null;
  },
): QuantizedBits {
  const sites = solved.map(({ site }) => site);
  const byWeight = new Map(solved.map((one) => [weightKey(one.site), one]));
  const weights = distinctWeights(sites).map((site) => {
    const key = weightKey(site);
    return weightEntry(lookup(byWeight, key), readersOf(sites, key));
  });
  const activations = Array.from(grids, ([name, grid]) => activationEntry(name, grid));
  return {
    ...{ format: "bayesian-bits-quantized-tensors", version: 1, network },
    ...(relativeBops !== null && { relativeBops }),
    tensors: [...weights, ...activations],
    ...(clustered.length > 0 && { codebooks: clustered.map(codebookEntry) }),
  };
}

function weightEntry({ site, bits: widths, steps }: SolvedSite, layers: readonly string[]): Entry {
  const { weight: name, layout, granularity } = site;
  const bits = widestWidth(widths);
  const { lowest, highest } = symmetricCodes(bits);
  const end = steps.reduce((most, step, row) => {
    const width = typeof widths === "number" ? widths : at(widths, row);
    return Math.max(most, step * symmetricCodes(width).highest);
  }, 0);
  return {
    name,
    role: "weight",
    layers: [...layers],
    shape: [...layout.dims],
    ...{ bits, storedBits: storedBits(bits) },
    ...(typeof widths === "number" ? {} : { channelBits: [...widths] }),
    ...{ signed: true, granularity, axis: layout.axis },
    scale: granularity === "tensor" ? shortest(first(steps)) : Array.from(steps, shortest),
    zeroPoint: 0,
    codes: [lowest, highest],
    range: [-end, end],
  };
}

function codebookEntry({ site, product }: ClusteredSite): z.infer<typeof codebookWeight> {
  const { weight: name, layout } = site;
  const { blockSize, codes, codebook } = product;
  const outputs = layout.dims[layout.axis] ?? 1;
  const centroids = codebook.length / blockSize;
  return {
    ...{ name, role: "weight", layers: [site.name], shape: [...layout.dims], axis: layout.axis },
    codebook: { blockSize, centroids, codeBits: storedCodeBits(centroids), codes: [codes.length / outputs, outputs] },
  };
}

function activationEntry(name: string, { bits, step, zero }: ActivationGrid): Entry {
  const highest = 2 ** bits - 1;
  return {
    ...{ name, role: "activation", bits, storedBits: bits, signed: false },
    scale: shortest(step),
    zeroPoint: zero,
    codes: [0, highest],
    range: [-zero * step, (highest - zero) * step],
  };
}

/** A float32 in the digits that tell it from its neighbours. */
const shortest = (value: number): number => Number(value.toPrecision(9));
