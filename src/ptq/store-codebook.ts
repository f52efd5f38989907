import { at } from "../core/elements.ts";
import { floatToHalf } from "../core/half-precision.ts";
import { floatBytes, packCodes } from "../export/onnx/packing.ts";
import { elementTypes } from "../onnx/element-types.ts";
import { tensorOf } from "../onnx/tensor-data.ts";
import { storedCodeBits } from "../quantization/code-bytes.ts";
import type { ClusteredSite } from "./cluster-sites.ts";
import { type FileGraph, intAttribute, intsAttribute } from "./file-graph.ts";
import { addPackedCodes, addShape, type PackedCodes, packedBytes } from "./packed-codes.ts";
import { biasOf } from "./site-bias.ts";
import { type WeightSite, weightKey } from "./weight-site.ts";

/**
 * Writes weights as codes that gather the blocks of a codebook, of operators that every operator set has, and biases that
 * set the mean outputs right. onnxruntime computes the weights once, when it loads the file.
 */
export function writeCodebooks(
  graph: FileGraph,
  sites: readonly WeightSite[],
  all: ReadonlyMap<string, ClusteredSite>,
): void {
  /** Weights that several nodes read in one way are written once. */
  const written = new Map<string, string>();
  for (const site of sites) {
    const key = weightKey(site);
    const clustered = all.get(key);
    if (clustered === undefined) continue;
    const value = written.get(key) ?? addCodebookWeight(graph, clustered);
    written.set(key, value);
    site.node.input[site.operator.slot] = value;
    if (clustered.shift !== null) shiftBias(graph, site, clustered.shift);
  }
}

/** Bytes of a weight's codes and of its codebook in float16. */
export function codebookBytes({ codes, codebook, blockSize }: ClusteredSite["product"]): number {
  const bits = storedCodeBits(codebook.length / blockSize);
  const ofCodes = bits === 8 || bits === 16 ? (bits / 8) * codes.length : packedBytes(codes.length, bits);
  return ofCodes + 2 * codebook.length;
}

function addCodebookWeight(graph: FileGraph, { site, product }: ClusteredSite): string {
  const { blockSize, codes, codebook } = product;
  const { dims, axis } = site.layout;
  const outputs = dims[axis] ?? 1;
  const centroids = codebook.length / blockSize;
  const name = (what: string) => graph.freeName(`${site.weight}.${what}`);
  const halves = packCodes(Array.from(codebook, floatToHalf), 16);
  const entries = graph.setInitializer(
    tensorOf(name("codebook"), elementTypes.float16, [centroids, blockSize], halves),
  );
  const cast = (value: string, to: number, what: string) =>
    graph.addFirst("Cast", [value], { output: name(what), attributes: [intAttribute("to", to)] });
  const turned = (value: string, perm: readonly number[], what: string) =>
    graph.addFirst("Transpose", [value], { output: name(what), attributes: [intsAttribute("perm", perm)] });
  const reshaped = (value: string, shape: readonly number[], what: string) =>
    graph.addFirst("Reshape", [value, addShape(graph, name("shape"), shape)], { output: name(what) });
  const stored = addStoredCodes(graph, {
    name: site.weight,
    codes,
    dims: [codes.length / outputs, outputs],
    centroids,
  });
  // Gather wants int32.
  const indices = cast(stored, elementTypes.int32, "indices");
  const attributes = [intAttribute("axis", 0)];
  const blocks = graph.addFirst("Gather", [entries, indices], { output: name("blocks"), attributes });
  const ordered = turned(cast(blocks, elementTypes.float, "float"), [1, 0, 2], "ordered");
  if (axis === 0) return reshaped(ordered, dims, "whole");
  // [outputs, before the axis, behind it] in the tensor's order.
  const outer = dims.slice(0, axis).reduce((product, size) => product * size, 1);
  const rows = reshaped(ordered, [outputs, outer, (codes.length * blockSize) / (outputs * outer)], "rows");
  return reshaped(turned(rows, [1, 0, 2], "turned"), dims, "whole");
}

function addStoredCodes(
  graph: FileGraph,
  { centroids, ...packed }: Omit<PackedCodes, "bits"> & { readonly centroids: number },
): string {
  const bits = storedCodeBits(centroids);
  if (bits === 2 || bits === 4) return addPackedCodes(graph, { ...packed, bits });
  const { name, codes, dims } = packed;
  const type = bits === 8 ? elementTypes.uint8 : elementTypes.uint16;
  return graph.setInitializer(tensorOf(graph.freeName(`${name}.codes`), type, dims, packCodes(codes, bits)));
}

function shiftBias(graph: FileGraph, site: WeightSite, shift: Float32Array): void {
  const { node, operator } = site;
  const bias = biasOf(graph, site);
  if (bias === null || operator.bias === null) return;
  const values = shift.map((more, output) => (bias === "none" ? 0 : at(bias, output)) - more);
  const name = graph.freeName(`${site.weight}.bias`);
  node.input[operator.bias] = graph.setInitializer(
    tensorOf(name, elementTypes.float, [values.length], floatBytes(values)),
  );
}
