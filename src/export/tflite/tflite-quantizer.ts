import { first } from "../../core/elements.ts";
import { clipFactor } from "../../quantization/levels.ts";
import type { FrozenQuantizer } from "../frozen-network.ts";
import { isShort, limitsOf, scaleOf } from "./codes-behind.ts";
import type { TfliteFile } from "./tflite-file.ts";

/** Adds a quantizer of float32 values: int8 codes, or float32 on its grid where that is wider. */
export function addQuantizer(node: FrozenQuantizer, file: TfliteFile): void {
  const source = first(node.inputs);
  const input = file.float(source);
  if (!isShort(node)) {
    if (node.bits === 16) file.notes.push(`${node.id} has 16 bits: widened to float32`);
    addWide(node, file, input);
    return;
  }
  file.addCodes(node, limitsOf(node), {
    relu: file.node(source).kind === "relu",
    write: (output) => file.builder.operator("Quantize", [input], output),
  });
}

/** 16 bits: divided, rounded, clipped and multiplied; 32 bits: clipped to the range (docs/method.md, "Quantizer"). */
function addWide(node: FrozenQuantizer, file: TfliteFile, input: string): void {
  const { id, bits, signed, xMax, outputShape } = node;
  const { builder } = file;
  const number = (name: string, value: number) => builder.floats(`${id}.${name}`, [value], [1]);
  const value = (name: string) => builder.value(`${id}.${name}`, { shape: outputShape });
  const clip = (from: string, [low, high]: readonly [number, number], output: string) => {
    const raised = builder.operator("Maximum", [from, number("low", low)], value("raised"));
    builder.operator("Minimum", [raised, number("high", high)], output);
  };
  if (bits === 32) {
    const high = xMax * clipFactor;
    clip(input, [signed ? -high : 0, high], file.own(node));
    return;
  }
  const step = number("step", scaleOf(node));
  const divided = builder.operator("Div", [input, step], value("divided"));
  const rounded = builder.operator("Round", [divided], value("rounded"));
  clip(rounded, limitsOf(node), value("codes"));
  builder.operator("Mul", [`${id}.codes`, step], file.own(node));
}
