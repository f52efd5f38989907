import { applyByKind, type ByKind } from "../../core/by-kind.ts";
import { at } from "../../core/elements.ts";
import type { FrozenInput, FrozenNetwork, FrozenNode } from "../frozen-network.ts";
import { addLayer } from "./add-layer.ts";
import { addQuantizer } from "./add-quantizer.ts";
import { IntegerFile } from "./integer-file.ts";
import {
  encodeModel,
  inputName,
  type Lowered,
  type LowerOptions,
  normalizedInput,
  pixelGrid,
  withBiases,
} from "./model-frame.ts";
import { addPlain, type PlainNode } from "./operators.ts";
import { saturationNote } from "./saturation.ts";
import type { WeightStorage } from "./weight-storage.ts";

/**
 * An ONNX file that computes in integers: activations of 2, 4 and 8 bits in 8-bit containers, with an integer Clip where
 * the grid is shorter than the container; wider tensors in float32; weights in a form's own storage. A layer that a
 * quantizer follows stands between DequantizeLinear and QuantizeLinear, which runtimes make one integer operator of; its
 * bias is int32. A layer whose sums others read (residual sums, logits, wider quantizers) is an integer operator itself,
 * and its bias stays float32. Pooling, padding and flattening move codes, so that nothing stands between a quantizer and
 * the layer behind it.
 */
export function lowerIntegers(network: FrozenNetwork, storage: WeightStorage, options: LowerOptions): Lowered {
  const file = new IntegerFile(network, options, storage);
  for (const node of network.nodes) applyByKind(rules, node, file);
  return {
    bytes: encodeModel(file.graph, network, { ...options, doc: storage.doc }),
    network: withBiases(network, file.biases),
    values: file.values,
    notes: [...file.notes, ...saturationNote(file.saturating)],
  };
}

/** How each kind of node is written. */
const rules: ByKind<FrozenNode, [IntegerFile], void> = {
  input: addInput,
  conv2d: addLayer,
  "depthwise-conv2d": addLayer,
  "conv-transpose": addLayer,
  dense: addLayer,
  embedding: onFloats,
  "coded-embedding": onFloats,
  affine: onFloats,
  "max-pool": onCodes,
  "average-pool": onFloats,
  "global-average-pool": onFloats,
  "masked-mean": onFloats,
  resize: onFloats,
  relu: onFloats,
  nonlinear: onFloats,
  add: onFloats,
  multiply: onFloats,
  concat: sideBySide,
  pad: onCodes,
  select: onCodes,
  flatten: onCodes,
  reshape: onCodes,
  transpose: onCodes,
  slice: onCodes,
  softmax: behindMax,
  "masked-softmax": onFloats,
  "token-mask": onFloats,
  "layer-norm": onFloats,
  matmul: onFloats,
  quantizer: addQuantizer,
};

/** Pixels are codes themselves where one scale and a whole zero point serve all channels. */
function addInput(node: FrozenInput, file: IntegerFile): void {
  const { network, options } = file;
  const pixels = options.input === "uint8" ? pixelGrid(network) : null;
  if (pixels !== null) {
    const { scale, zeroPoint } = pixels;
    const grid = file.grid(inputName, scale, zeroPoint);
    file.codes.set(node.id, { name: inputName, scale, zeroPoint, highest: 255, grid });
    return;
  }
  file.hasFloat(node, normalizedInput(file.graph, network, options.input));
}

/** A node that computes on float32 values. */
function onFloats(node: PlainNode, file: IntegerFile): void {
  const inputs = node.inputs.map((id) => file.float(id));
  addPlain(file.graph, file.network, node, { inputs, output: file.own(node) });
}

/**
 * The same of codes behind Max nodes of one value, which are that value: without them onnxruntime's optimizer would make one
 * operator of it and the quantizer behind it whose exponentials are rounded.
 */
function behindMax(node: PlainNode, file: IntegerFile): void {
  const inputs = node.inputs.map((id) => {
    const value = file.float(id);
    return file.codes.has(id) ? file.graph.node("Max", [value], { name: `${node.id}.input` }) : value;
  });
  addPlain(file.graph, file.network, node, { inputs, output: file.own(node) });
}

/** A node with one input whose elements are among those of it: it moves codes where there are any. */
function onCodes(node: PlainNode, file: IntegerFile): void {
  const { graph, network } = file;
  const codes = file.codes.get(at(node.inputs, 0));
  if (codes === undefined || node.id === network.output) {
    onFloats(node, file);
    return;
  }
  const output = `${node.id}.codes`;
  const zero = codes.zeroPoint === 0 ? undefined : codes.grid[1];
  addPlain(graph, network, node, { inputs: [codes.name], output, zero });
  file.codes.set(node.id, { ...codes, name: output });
}

/** Values side by side: codes where all have one grid, which then stay what they are; else float32 values. */
function sideBySide(node: PlainNode, file: IntegerFile): void {
  const { graph, network } = file;
  const codes = node.inputs.flatMap((id) => file.codes.get(id) ?? []);
  const [first] = codes;
  const isOneGrid = codes.every(({ scale, zeroPoint }) => scale === first?.scale && zeroPoint === first.zeroPoint);
  if (first === undefined || codes.length < node.inputs.length || !isOneGrid || node.id === network.output) {
    onFloats(node, file);
    return;
  }
  const name = `${node.id}.codes`;
  addPlain(graph, network, node, { inputs: codes.map(({ name }) => name), output: name });
  file.codes.set(node.id, { ...first, name, highest: Math.max(...codes.map(({ highest }) => highest)) });
}
