import { lookup } from "../core/lookup.ts";
import { opsetOf } from "../onnx/onnx-model.ts";
import { realTypes, realValues, sizeOf, tensorOf } from "../onnx/tensor-data.ts";
import type { ActivationGrid } from "./activation-grid.ts";
import { type FileGraph, intAttribute } from "./file-graph.ts";
import { quantizeActivation } from "./quantize-activation.ts";
import type { SolvedSite } from "./solve-site.ts";
import { addFloatWeight, addIntegerBias, addIntegerWeight, addStoredCodes, quantizerDomain } from "./store-weight.ts";
import type { WeightSite } from "./weight-site.ts";

/** Biases stay below this, so that adding them to a sum of products stays inside int32. */
const LARGEST_BIAS = 2 ** 30;
/**
 * Largest sum of two products of an activation's codes and int8 weights: x86 processors without VNNI add them in 16 bits
 * (docs/export.md, "What onnxruntime forces").
 */
const LARGEST_PAIR = 2 ** 15 - 1;

/** Whether a site computes in integers once what it reads is on a grid of 8 bits. */
export function isInteger(
  { node, operator, type, layout }: WeightSite,
  grids: ReadonlyMap<string, ActivationGrid>,
): boolean {
  if (operator.data === null || type !== realTypes.float32 || !operator.integer(node)) return false;
  if (layout.dims.length > 2 && node.opType === "MatMul") return false;
  return grids.get(node.input[operator.data] ?? "")?.bits === 8;
}

/** Writes quantized weights and activations into the graph; the rest of it stays. */
export function writeQuantized(
  graph: FileGraph,
  { solved, grids }: { solved: readonly SolvedSite[]; grids: ReadonlyMap<string, ActivationGrid> },
): void {
  const opset = opsetOf(graph.model);
  /** Weights that several nodes read in one way are written once. */
  const written = new Map<string, string>();
  for (const one of solved) {
    const { site } = one;
    if (site.operator.data === null) writeTable(graph, one);
    else {
      const integer = isInteger(site, grids);
      const key = `${integer} ${one.bits} ${site.layout.axis} ${site.weight}`;
      const value = written.get(key) ?? writeWeight(graph, one, integer ? quantizerDomain(opset) : null);
      written.set(key, value);
      site.node.input[site.operator.slot] = value;
      if (integer) writeBias(graph, one, grids, quantizerDomain(opset));
    }
  }
  const readers = new Set(solved.map(({ site }) => site.node));
  for (const [value, grid] of grids) quantizeActivation(graph, { value, grid, opset, readers });
}

function writeWeight(graph: FileGraph, solved: SolvedSite, domain: string | null): string {
  const { site, codes, steps, bits } = solved;
  const weight = { name: site.weight, layout: site.layout, codes, steps, bits };
  if (domain === null) return addFloatWeight(graph, weight, site.type);
  const container = saturates(solved) ? ("uint8" as const) : ("int8" as const);
  return addIntegerWeight(graph, { ...weight, container }, domain);
}

/** Whether two products of a channel's codes with 8-bit activations could leave 16 bits. */
function saturates({ site: { layout }, codes }: SolvedSite): boolean {
  const channels = layout.dims[layout.axis] ?? 1;
  const inner = sizeOf(layout.dims.slice(layout.axis + 1));
  const [highest, high, lowest, low] = Array.from({ length: 4 }, () => new Int32Array(channels));
  if (!highest || !high || !lowest || !low) return true;
  for (let index = 0; index < codes.length; index++) {
    const channel = Math.floor(index / inner) % channels;
    const code = codes[index] ?? 0;
    const [most = 0, least = 0] = [highest[channel], lowest[channel]];
    if (code > most) [highest[channel], high[channel]] = [code, most];
    else if (code > (high[channel] ?? 0)) high[channel] = code;
    if (code < least) [lowest[channel], low[channel]] = [code, least];
    else if (code < (low[channel] ?? 0)) low[channel] = code;
  }
  return highest.some(
    (most, channel) =>
      255 * Math.max(most + (high[channel] ?? 0), -(lowest[channel] ?? 0) - (low[channel] ?? 0)) > LARGEST_PAIR,
  );
}

/** Puts a constant bias on the grid of the products: integer kernels take no other. */
function writeBias(
  graph: FileGraph,
  { site, steps }: SolvedSite,
  grids: ReadonlyMap<string, ActivationGrid>,
  domain: string,
): void {
  const { node, operator } = site;
  const name = operator.bias === null ? "" : (node.input[operator.bias] ?? "");
  if (operator.bias === null || name === "") return;
  const tensor = graph.initializer(name);
  const values = tensor && realValues(tensor);
  if (!values || values.length !== steps.length) return;
  const { step } = lookup(grids, node.input[operator.data ?? 0] ?? "");
  const products = steps.map((weightStep) => step * weightStep);
  const codes = Int32Array.from(values, (value, index) => {
    const code = Math.round(value / (products[index] ?? 1));
    return Math.max(-LARGEST_BIAS, Math.min(LARGEST_BIAS, code));
  });
  node.input[operator.bias] = addIntegerBias(graph, { name, codes, steps: products, domain });
}

/** A table that is looked up: codes and steps are looked up, and multiplied then, so that it stays small in memory. */
function writeTable(graph: FileGraph, { site, codes, steps, bits }: SolvedSite): void {
  const { node, layout, type } = site;
  const [table = "", indices = ""] = node.input;
  const [made = ""] = node.output;
  const name = (what: string) => graph.freeName(`${table}.${what}`);
  const stored = addStoredCodes(graph, { name: table, layout, codes, steps, bits });
  const scale = graph.addInitializer(stepsTensor(name("step"), steps));
  const own = name("looked-up");
  node.input[0] = stored;
  node.output[0] = own;
  const options = { attributes: node.attribute };
  const step = graph.addBehind(node, "Gather", [scale, indices], { output: name("looked-up.step"), ...options });
  const to = [intAttribute("to", realTypes.float32)];
  const floats = graph.addBehind(node, "Cast", [own], { output: name("looked-up.float"), attributes: to });
  if (type === realTypes.float32) graph.addBehind(node, "Mul", [floats, step], { output: made });
  else {
    const product = graph.addBehind(node, "Mul", [floats, step], { output: name("looked-up.product") });
    graph.addBehind(node, "Cast", [product], { output: made, attributes: [intAttribute("to", type)] });
  }
}

const stepsTensor = (name: string, steps: Float32Array) =>
  tensorOf(name, realTypes.float32, [steps.length, 1], new Uint8Array(Float32Array.from(steps).buffer));
