import { codeLimits, stepSize } from "../../quantization/grid.ts";
import {
  type FrozenLayer,
  type FrozenNetwork,
  type FrozenNode,
  type FrozenQuantizer,
  isFrozenLayer,
} from "../frozen-network.ts";
import { GraphBuilder } from "./graph-builder.ts";
import { type Codes, dequantizedParameters, integerOperator, MIDDLE } from "./integer-operator.ts";
import { integerLayer } from "./integer-weight.ts";
import { floatWeight, roundToGrid } from "./lower-fp32.ts";
import {
  encodeModel,
  type FileValue,
  imageInput,
  inputName,
  type Lowered,
  type LowerOptions,
  normalizedInput,
  valueName,
} from "./model-frame.ts";
import { addPlain, convolutionAttributes, orderedWeight } from "./operators.ts";

/** Largest share of an output step by which rounding to int32 may move a bias. */
const LARGEST_SHIFT = 1 / 32;
/**
 * Longest step of an addend in steps of its sum's quantizer. Onnxruntime adds codes with 22-bit multipliers: of a longer
 * step the sum would be off by more than 1e-4 steps of the result, and by 1e-2 where 2 bits meet 8.
 */
const LONGEST_ADDEND = 2;

/** An ONNX file in the `int8` form, operator set 13: see `Int8Lowering`. */
export const lowerInt8 = (network: FrozenNetwork, options: LowerOptions): Lowered =>
  new Int8Lowering(network, options).lower();

/**
 * The `int8` form: 2-, 3-, 4- and 8-bit tensors in 8-bit containers, with an integer Clip where the grid is shorter than
 * the container; wider ones in float32. A layer that a quantizer follows stands between DequantizeLinear and
 * QuantizeLinear, which runtimes make one integer operator of; its bias is int32. A layer whose sums others read
 * (residual sums, logits, wider quantizers) is an integer operator itself, and its bias stays float32. Pooling,
 * padding and flattening move codes, so that nothing stands between a quantizer and the layer behind it.
 */
class Int8Lowering {
  readonly #network: FrozenNetwork;
  readonly #options: LowerOptions;
  readonly #graph = new GraphBuilder();
  readonly #readers = new Map<string, FrozenNode[]>();
  readonly #floats = new Map<string, string>();
  readonly #codes = new Map<string, Codes>();
  readonly #biases = new Map<string, Float32Array>();
  readonly #notes: string[] = [];

  constructor(network: FrozenNetwork, options: LowerOptions) {
    this.#network = network;
    this.#options = options;
    for (const node of network.nodes) {
      for (const id of node.inputs) this.#readers.set(id, [...(this.#readers.get(id) ?? []), node]);
    }
  }

  lower(): Lowered {
    const network = this.#network;
    for (const node of network.nodes) this.#node(node);
    const nodes = network.nodes.map((node) => {
      const bias = this.#biases.get(node.id);
      return bias !== undefined && isFrozenLayer(node) ? { ...node, bias } : node;
    });
    const values = new Map<string, FileValue>();
    for (const [id, name] of this.#floats) values.set(id, { name, scale: null, zeroPoint: 0 });
    for (const [id, { name, scale, zeroPoint }] of this.#codes) values.set(id, { name, scale, zeroPoint });
    const doc = "2-, 4- and 8-bit weights and activations in 8-bit containers, wider ones in float32.";
    return {
      bytes: encodeModel(this.#graph, network, { ...this.#options, doc }),
      network: { ...network, nodes },
      values,
      notes: this.#notes,
    };
  }

  #node(node: FrozenNode): void {
    const graph = this.#graph;
    switch (node.kind) {
      case "input":
        this.#input(node);
        return;
      case "conv2d":
      case "depthwise-conv2d":
      case "dense":
        this.#layer(node);
        return;
      case "quantizer":
        this.#quantizer(node);
        return;
      case "max-pool":
      case "flatten":
      case "select":
      case "pad": {
        const codes = this.#codes.get(node.inputs[0]!);
        if (codes === undefined || node.id === this.#network.output) break;
        const output = `${node.id}.codes`;
        addPlain(graph, this.#network, node, {
          inputs: [codes.name],
          output,
          zero: codes.zeroPoint === 0 ? undefined : codes.grid[1],
        });
        this.#codes.set(node.id, { ...codes, name: output });
        return;
      }
    }
    const inputs = node.inputs.map((id) => this.#float(id));
    addPlain(graph, this.#network, node as Parameters<typeof addPlain>[2], { inputs, output: this.#own(node) });
  }

  /** The name of a node's float value, which it makes itself. */
  #own(node: FrozenNode): string {
    const name = valueName(this.#network, node);
    this.#floats.set(node.id, name);
    return name;
  }

  /** The float value of a node, dequantized where it has none. */
  #float(id: string): string {
    const present = this.#floats.get(id);
    if (present !== undefined) return present;
    const codes = this.#codes.get(id)!;
    const output = id === this.#network.nodes[0]!.id ? `${inputName}.normalized` : id;
    this.#floats.set(id, output);
    return this.#graph.node("DequantizeLinear", [codes.name, ...codes.grid], { name: `${id}.dequantize`, output });
  }

  /** Pixels are codes themselves where one scale and a whole zero point serve all channels. */
  #input(node: FrozenNode): void {
    const { mean, deviation } = this.#network.normalization;
    const zeroPoint = 255 * mean[0]!;
    const uniform = mean.every((value) => value === mean[0]) && deviation.every((value) => value === deviation[0]);
    if (this.#options.input === "uint8" && uniform && Number.isInteger(zeroPoint) && zeroPoint <= 255) {
      const scale = Math.fround(1 / (255 * deviation[0]!));
      const grid = this.#grid(inputName, scale, zeroPoint);
      this.#codes.set(node.id, { name: inputName, scale, zeroPoint, grid });
      return;
    }
    imageInput(this.#network);
    this.#floats.set(node.id, normalizedInput(this.#graph, this.#network, this.#options.input));
  }

  #grid(id: string, scale: number, zeroPoint: number): readonly [string, string] {
    return [this.#graph.floats(`${id}.scale`, [scale], []), this.#byte(`${id}.zero-point`, zeroPoint)];
  }

  #byte(name: string, value: number): string {
    return this.#graph.integers(name, [value], [], { bits: 8, signed: false });
  }

  #quantizer(node: FrozenQuantizer): void {
    const { id, bits, signed, xMax } = node;
    const graph = this.#graph;
    let input = this.#float(node.inputs[0]!);
    if (bits > 8 || id === this.#network.output) {
      if (bits === 16) this.#notes.push(`${id} has 16 bits: widened to float32`);
      roundToGrid(graph, node, input, this.#own(node));
      return;
    }
    const zeroPoint = signed ? MIDDLE : 0;
    const scale = Math.fround(stepSize(bits, { xMax, signed }));
    if (this.#isUnevenSum(node.inputs[0]!, scale)) input = graph.node("Max", [input], { name: `${id}.input` });
    const grid = this.#grid(id, scale, zeroPoint);
    const clipped = bits < 8 || signed;
    const quantize = { name: `${id}.quantize`, output: clipped ? `${id}.saturated` : `${id}.codes` };
    const saturated = graph.node("QuantizeLinear", [input, ...grid], quantize);
    const codes: Codes = { name: `${id}.codes`, scale, zeroPoint, grid };
    this.#codes.set(id, codes);
    if (!clipped) return;
    const [lowest, highest] = codeLimits(bits as 2 | 4 | 8, signed);
    const bounds = [this.#byte(`${id}.lowest`, zeroPoint + lowest), this.#byte(`${id}.highest`, zeroPoint + highest)];
    graph.node("Clip", [saturated, ...bounds], { name: `${id}.clip`, output: codes.name });
  }

  /** Whether a sum of codes has an addend of much longer steps than those that it is quantized with. */
  #isUnevenSum(id: string, scale: number): boolean {
    const sum = this.#network.nodes.find((node) => node.id === id)!;
    const addends = sum.kind === "add" ? sum.inputs.map((input) => this.#codes.get(input)?.scale) : [];
    return addends.some((step) => step !== undefined && step > LONGEST_ADDEND * scale);
  }

  #layer(layer: FrozenLayer): void {
    const { weight } = layer;
    const codes = this.#codes.get(layer.inputs[0]!);
    if (codes === undefined || weight.bits === 32 || weight.bits === 16) {
      this.#floatLayer(layer);
      return;
    }
    const step = this.#stepBehind(layer);
    const integer = step === null ? null : integerLayer(weight, layer.bias, codes.scale);
    const [graph, network] = [this.#graph, this.#network];
    if (integer === null || integer.largestShift > LARGEST_SHIFT * step!) {
      integerOperator(graph, {
        layer,
        weight,
        codes,
        ordered: orderedWeight(network, layer),
        output: this.#own(layer),
      });
      return;
    }
    this.#biases.set(layer.id, integer.biasValues);
    const parameters = dequantizedParameters(graph, layer.id, integer, orderedWeight(network, layer));
    this.#operator(layer, [this.#float(layer.inputs[0]!), ...parameters]);
  }

  /** The step of the 8-bit quantizer that alone reads a layer; null when something else does. */
  #stepBehind(layer: FrozenLayer): number | null {
    const [reader, ...others] = this.#readers.get(layer.id) ?? [];
    if (reader?.kind !== "quantizer" || others.length > 0 || reader.bits > 8 || reader.id === this.#network.output) {
      return null;
    }
    return stepSize(reader.bits, reader);
  }

  #floatLayer(layer: FrozenLayer): void {
    const { id, weight } = layer;
    if (weight.bits === 16) this.#notes.push(`${id}.weight has 16 bits: widened to float32`);
    const input = this.#float(layer.inputs[0]!);
    const inputs = [
      // Max of one value is that value: without it onnxruntime's optimizer would quantize the weight to 8 bits.
      this.#codes.has(layer.inputs[0]!) ? this.#graph.node("Max", [input], { name: `${id}.input` }) : input,
      floatWeight(this.#graph, orderedWeight(this.#network, layer)),
      this.#graph.floats(`${id}.bias`, layer.bias, [layer.bias.length]),
    ];
    this.#operator(layer, inputs);
  }

  #operator(layer: FrozenLayer, inputs: readonly string[]): void {
    this.#graph.node(layer.kind === "dense" ? "Gemm" : "Conv", inputs, {
      name: layer.id,
      output: this.#own(layer),
      attributes: layer.kind === "dense" ? { transB: 1 } : convolutionAttributes(layer),
    });
  }
}
