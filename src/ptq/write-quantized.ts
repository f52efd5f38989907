import type { Saturation } from "../config/sections/export-settings.ts";
import { at } from "../core/elements.ts";
import { type Container, LARGEST_BIAS, LARGEST_PAIR, largestCodes } from "../export/onnx/integer-weight.ts";
import { floatBytes } from "../export/onnx/packing.ts";
import { elementsOf } from "../graph/shape.ts";
import { elementTypes } from "../onnx/element-types.ts";
import type { NodeProto } from "../onnx/generated/onnx_pb.ts";
import { isStandardDomain, opsetOf } from "../onnx/onnx-model.ts";
import { realValues, tensorOf } from "../onnx/tensor-data.ts";
import type { ActivationGrid } from "./activation-grid.ts";
import { type FileGraph, intAttribute } from "./file-graph.ts";
import { fitBias } from "./fit-bias.ts";
import { quantizeActivation } from "./quantize-activation.ts";
import { outputOf } from "./quantized-values.ts";
import type { SolvedSite } from "./solve-site.ts";
import { addFloatWeight, addIntegerBias, addIntegerWeight, addStoredCodes, quantizerDomain } from "./store-weight.ts";
import { hasIntegerKernel, type WeightSite, weightKey } from "./weight-site.ts";

/** Of an activation of 8 bits. */
const LARGEST_CODE = 255;

interface WriteOptions {
  readonly solved: readonly SolvedSite[];
  readonly grids: ReadonlyMap<string, ActivationGrid>;
  readonly saturation: Saturation;
}

interface Written {
  /** Weights as they were written: steps of integer kernels may be larger, so that biases fit. */
  readonly solved: readonly SolvedSite[];
  /** The sites that compute in integers. */
  readonly integers: ReadonlySet<WeightSite>;
  /** The names of those whose sums may saturate on some processors. */
  readonly saturating: readonly string[];
}

/** Writes quantized weights and activations into the graph; the rest of it stays. */
export function writeQuantized(graph: FileGraph, { grids, saturation, ...options }: WriteOptions): Written {
  const opset = opsetOf(graph.model);
  const domain = quantizerDomain(opset);
  const integers = new Set<WeightSite>();
  const saturating: string[] = [];
  /** Weights that several nodes read in one way are written once. */
  const written = new Map<string, string>();
  const solved = options.solved.map((one) => fitted(graph, one, options.solved, grids));
  for (const one of solved) {
    const { site } = one;
    const { node, operator } = site;
    if (operator.data === null) {
      writeTable(graph, one, written);
      continue;
    }
    const grid = grids.get(node.input[operator.data] ?? "");
    const bias = grid?.bits === 8 && isInteger(graph, site, grids) ? integerBias(graph, one, grid) : null;
    const saturates = bias !== null && maySaturate(one);
    const container = saturates && saturation === "avoid" ? "uint8" : "int8";
    const key = `${bias !== null} ${weightKey(site)}`;
    const value = written.get(key) ?? writeWeight(graph, one, bias === null ? null : { domain, container });
    written.set(key, value);
    node.input[operator.slot] = value;
    if (bias === null) continue;
    integers.add(site);
    if (container === "int8" && saturates) saturating.push(site.name);
    if (bias !== "none" && operator.bias !== null)
      node.input[operator.bias] = addIntegerBias(graph, { ...bias, domain });
  }
  const readers = new Set(solved.map(({ site }) => site.node));
  const floats = floatsBetweenGrids(graph, new Set(Array.from(integers, ({ node }) => node)), grids);
  for (const [value, grid] of grids) quantizeActivation(graph, { value, grid, opset, readers });
  for (const node of floats) keepInFloat(graph, node);
  return { solved, integers, saturating };
}

/** A weight of one layer alone, with steps that its bias fits. */
function fitted(
  graph: FileGraph,
  one: SolvedSite,
  all: readonly SolvedSite[],
  grids: WriteOptions["grids"],
): SolvedSite {
  const { site } = one;
  const grid = grids.get(site.operator.data === null ? "" : (site.node.input[site.operator.data] ?? ""));
  const bias = constantBias(graph, one);
  const isShared = all.some((other) => other.site !== site && other.site.weight === site.weight);
  if (grid?.bits !== 8 || bias === null || isShared || !isInteger(graph, site, grids)) return one;
  return fitBias(one, bias, grid.step);
}

/** What onnxruntime quantizes itself where it stands between two grids with a constant weight. */
const requantized: ReadonlySet<string> = new Set(["Conv", "ConvTranspose", "Gemm"]);

function floatsBetweenGrids(
  graph: FileGraph,
  integers: ReadonlySet<NodeProto>,
  grids: WriteOptions["grids"],
): readonly NodeProto[] {
  return graph.nodes.filter(
    (node) =>
      requantized.has(node.opType) &&
      isStandardDomain(node.domain) &&
      !integers.has(node) &&
      grids.has(node.input[0] ?? "") &&
      grids.has(outputOf(graph, node)),
  );
}

/**
 * A layer that computes in float between two grids reads its input through a Max of one value, which changes nothing: else
 * onnxruntime 1.30 rounds its weights to 8 bits with one step for all channels, and its bias by operators that files of
 * operator sets before 13 do not have (`WeightBiasQuantization`).
 */
function keepInFloat(graph: FileGraph, node: NodeProto): void {
  const [value = ""] = node.input;
  const maker = graph.makerOf(value);
  // The graph's own input stays in float for who is no quantized layer.
  if (maker === null) return;
  node.input[0] = graph.addBehind(maker, "Max", [value], { output: graph.freeName(`${value}.same`) });
}

/**
 * Whether onnxruntime computes a site in integers whose input has 8 bits: a convolution where its output has 8 bits too, a
 * matrix product unless its output goes onto a grid of 16.
 */
function isInteger(graph: FileGraph, site: WeightSite, grids: WriteOptions["grids"]): boolean {
  const given = grids.get(outputOf(graph, site.node))?.bits ?? 32;
  return hasIntegerKernel(site) && (site.node.opType === "Conv" ? given === 8 : given !== 16);
}

function writeWeight(
  graph: FileGraph,
  { site, codes, steps, bits }: SolvedSite,
  integers: { readonly domain: string; readonly container: Container } | null,
): string {
  const weight = { name: site.weight, layout: site.layout, codes, steps, bits };
  if (integers === null) return addFloatWeight(graph, weight, site.type);
  const { domain, container } = integers;
  return addIntegerWeight(graph, { ...weight, container }, domain);
}

/** Whether two products of an output channel, which may be neighbours, could leave 16 bits; depthwise kernels add none there. */
function maySaturate({ site: { node, layout }, codes, steps }: SolvedSite): boolean {
  const [outputs, inputs] = layout.dims;
  if (node.opType === "Conv" && layout.groups > 1 && outputs === layout.groups && inputs === 1) return false;
  const inner = elementsOf(layout.dims.slice(layout.axis + 1));
  const largest = largestCodes(codes, steps.length, (index) => Math.floor(index / inner) % steps.length);
  return largest.some(({ pair }) => LARGEST_CODE * pair > LARGEST_PAIR);
}

/**
 * The constant bias of a site on the grid of its products: integer kernels take no other.
 *
 * @returns null where it is computed, of another shape, or beyond int32: the site computes in float then.
 */
function integerBias(
  graph: FileGraph,
  one: SolvedSite,
  { step }: ActivationGrid,
): { readonly name: string; readonly codes: Int32Array; readonly steps: Float32Array } | "none" | null {
  const { steps } = one;
  const name = biasName(one);
  if (name === "") return "none";
  const values = constantBias(graph, one);
  if (values === null) return null;
  const products = steps.map((weightStep) => step * weightStep);
  const codes = Float64Array.from(values, (value, index) => Math.round(value / at(products, index)));
  if (!codes.every((code) => Math.abs(code) <= LARGEST_BIAS)) return null;
  return { name, codes: Int32Array.from(codes), steps: products };
}

const biasName = ({ site: { node, operator } }: SolvedSite): string =>
  operator.bias === null ? "" : (node.input[operator.bias] ?? "");

/** A number for each output channel; null: there are none, or they are computed. */
function constantBias(graph: FileGraph, one: SolvedSite): Float32Array | null {
  const tensor = graph.initializer(biasName(one));
  const values = tensor && realValues(tensor);
  return values?.length === one.steps.length ? values : null;
}

/**
 * A table that is looked up: codes and steps are looked up, and multiplied then, so that it stays small in memory.
 *
 * @param written What several nodes read is written once.
 */
function writeTable(graph: FileGraph, { site, codes, steps, bits }: SolvedSite, written: Map<string, string>): void {
  const { node, layout, type } = site;
  const [table = "", indices = ""] = node.input;
  const [made = ""] = node.output;
  const name = (what: string) => graph.freeName(`${table}.${what}`);
  const once = (what: string, write: () => string) => {
    const key = `${what} ${weightKey(site)}`;
    const value = written.get(key) ?? write();
    written.set(key, value);
    return value;
  };
  const stored = once("codes", () => addStoredCodes(graph, { name: table, layout, codes, steps, bits }));
  const scale = once("steps", () =>
    graph.setInitializer(tensorOf(name("step"), elementTypes.float, [steps.length, 1], floatBytes(steps))),
  );
  const own = name("looked-up");
  node.input[0] = stored;
  node.output[0] = own;
  const options = { attributes: node.attribute };
  const step = graph.addBehind(node, "Gather", [scale, indices], { output: name("looked-up.step"), ...options });
  const to = [intAttribute("to", elementTypes.float)];
  const floats = graph.addBehind(node, "Cast", [own], { output: name("looked-up.float"), attributes: to });
  if (type === elementTypes.float) graph.addBehind(node, "Mul", [floats, step], { output: made });
  else {
    const product = graph.addBehind(node, "Mul", [floats, step], { output: name("looked-up.product") });
    graph.addBehind(node, "Cast", [product], { output: made, attributes: [intAttribute("to", type)] });
  }
}
