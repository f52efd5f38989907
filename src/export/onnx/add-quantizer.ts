import { first } from "../../core/elements.ts";
import { tuple } from "../../core/tuple.ts";
import { codeLimits, stepSize } from "../../quantization/grid.ts";
import type { FrozenQuantizer } from "../frozen-network.ts";
import { type Codes, MIDDLE } from "./codes.ts";
import type { IntegerFile } from "./integer-file.ts";
import { roundToGrid } from "./lower-fp32.ts";

/**
 * Longest step of an addend in steps of its sum's quantizer. Onnxruntime adds codes with 22-bit multipliers: of a longer
 * step the sum would be off by more than 1e-4 steps of the result, and by 1e-2 where 2 bits meet 8.
 */
const LONGEST_ADDEND = 2;

/** Adds a quantizer: codes of 8 bits, or float32 for wider grids and for the logits. */
export function addQuantizer(node: FrozenQuantizer, file: IntegerFile): void {
  const { id, bits, signed, xMax } = node;
  const { graph } = file;
  let input = file.float(first(node.inputs));
  if (bits === 16 || bits === 32 || id === file.network.output) {
    if (bits === 16) file.notes.push(`${id} has 16 bits: widened to float32`);
    roundToGrid(graph, node, input, file.own(node));
    return;
  }
  const zeroPoint = signed ? MIDDLE : 0;
  const scale = Math.fround(stepSize(bits, { xMax, signed }));
  if (isUnevenSum(file, first(node.inputs), scale)) input = graph.node("Max", [input], { name: `${id}.input` });
  const grid = file.grid(id, scale, zeroPoint);
  const clipped = bits < 8 || signed;
  const quantize = { name: `${id}.quantize`, output: clipped ? `${id}.saturated` : `${id}.codes` };
  const saturated = graph.node("QuantizeLinear", [input, ...grid], quantize);
  const [lowest, highest] = tuple(
    codeLimits(bits, signed).map((code) => zeroPoint + code),
    2,
  );
  const codes: Codes = { name: `${id}.codes`, scale, zeroPoint, highest, grid };
  file.codes.set(id, codes);
  if (!clipped) return;
  const bounds = [file.byte(`${id}.lowest`, lowest), file.byte(`${id}.highest`, highest)];
  graph.node("Clip", [saturated, ...bounds], { name: `${id}.clip`, output: codes.name });
}

/** Whether a sum of codes has an addend of much longer steps than those that it is quantized with. */
function isUnevenSum({ network, codes }: IntegerFile, id: string, scale: number): boolean {
  const sum = network.nodes.find((node) => node.id === id)!;
  const addends = sum.kind === "add" ? sum.inputs.map((input) => codes.get(input)?.scale) : [];
  return addends.some((step) => step !== undefined && step > LONGEST_ADDEND * scale);
}
