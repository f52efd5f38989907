import { at } from "../../core/elements.ts";
import { elementTypes } from "../../onnx/element-types.ts";
import { codebookSize } from "../../quantization/product/codebook-size.ts";
import type { FloatTensor, FrozenCodebook } from "../frozen-tensor.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import type { OrderedWeight } from "./layer-operators.ts";

/** What a file has of a codebook, as notes name it: "codes of 8 bits into 256 blocks of 9 float16 numbers". */
export function codebookText(codebook: FrozenCodebook): string {
  const { blockSize, codes, centroids } = codebook;
  const count = centroids.length / blockSize;
  const { codeBits } = codebookSize(codes.length, { centroids: count, blockSize });
  return `codes of ${codeBits} bits into ${count} blocks of ${blockSize} float16 numbers`;
}

/**
 * Adds a weight as codes that gather the blocks of a codebook; gives the name of its float value. All of it is constant:
 * runtimes compute the whole weight when they load the file.
 */
export function codebookWeight(
  graph: GraphBuilder,
  { layer, shape, order }: OrderedWeight,
  { codebook }: FloatTensor & { readonly codebook: FrozenCodebook },
): string {
  const { blockSize, codes, centroids } = codebook;
  const name = `${layer.id}.weight`;
  const [outputs = 1] = shape;
  const inputs = (codes.length * blockSize) / outputs;
  const pieces = inputs / blockSize;
  const count = centroids.length / blockSize;
  const { codeBits: bits } = codebookSize(codes.length, { centroids: count, blockSize });
  const stored = graph.integers(`${name}.codes`, codes, [pieces, outputs], { bits, signed: false });
  // Gather wants int32.
  const indices = graph.node("Cast", [stored], { name: `${name}.indices`, attributes: { to: elementTypes.int32 } });
  const entries = graph.halves(`${name}.codebook`, centroids, [count, blockSize]);
  const blocks = graph.node("Gather", [entries, indices], { name: `${name}.blocks`, attributes: { axis: 0 } });
  const floats = graph.node("Cast", [blocks], { name: `${name}.float`, attributes: { to: elementTypes.float } });
  const ordered = graph.node("Transpose", [floats], { name: `${name}.ordered`, attributes: { perm: [1, 0, 2] } });
  // A dense layer behind an image reads it in another order than it was trained in.
  const places = Array.from({ length: inputs }, (_, input) => Math.floor(at(order, input) / outputs));
  const isMoved = layer.kind === "dense" && places.some((place, input) => place !== input);
  const whole = graph.node("Reshape", [ordered, graph.int64s(`${name}.shape`, shape)], {
    name: `${name}.whole`,
    output: isMoved ? `${name}.trained` : name,
  });
  if (!isMoved) return whole;
  const moved = graph.int64s(`${name}.places`, places);
  return graph.node("Gather", [whole, moved], { name: `${name}.moved`, output: name, attributes: { axis: 1 } });
}
