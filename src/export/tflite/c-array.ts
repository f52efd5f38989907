import { basename } from "node:path";
import type { ExportInput } from "../../config/sections/export-settings.ts";
import { UserError } from "../../core/errors.ts";
import type { FrozenNetwork } from "../frozen-network.ts";
import type { LoweredTflite } from "./lower-tflite.ts";
import { ALIGNMENT } from "./tflite-builder.ts";
import type { TfliteOptions } from "./tflite-file.ts";

const BYTES_IN_A_LINE = 16;

const images: Readonly<Record<ExportInput, string>> = {
  uint8: "uint8 pixels",
  int8: "int8 pixels (less 128)",
  float: "normalised float32 images",
};

/**
 * A TensorFlow Lite file as a header of C and C++, for programs without a file system: `model` and `model_size`, with
 * the operators that the program has to register.
 */
export function cArray(
  network: FrozenNetwork,
  { bytes, operators }: LoweredTflite,
  { input }: TfliteOptions,
): Uint8Array {
  const [image] = network.nodes;
  const lines = [
    `// ${JSON.stringify(network.name)}: a TensorFlow Lite file of ${bytes.length} bytes.`,
    `// Input: ${images[input]}, [1, ${image?.outputShape.join(", ")}].`,
    ...(network.classes.length === 0 ? [] : [`// Classes: ${JSON.stringify(network.classes)}`]),
    `// Operators, for tflite::MicroMutableOpResolver<${operators.length}>: ${operators.map((kind) => `Add${kind}`).join(", ")}.`,
    "#ifndef BAYESIAN_BITS_MODEL_H",
    "#define BAYESIAN_BITS_MODEL_H",
    "#ifdef __cplusplus",
    `alignas(${ALIGNMENT})`,
    "#else",
    `_Alignas(${ALIGNMENT})`,
    "#endif",
    "static const unsigned char model[] = {",
  ];
  for (let start = 0; start < bytes.length; start += BYTES_IN_A_LINE) {
    const line = bytes.subarray(start, start + BYTES_IN_A_LINE);
    lines.push(`  ${Array.from(line, (byte) => `0x${byte.toString(16).padStart(2, "0")},`).join(" ")}`);
  }
  lines.push("};", `static const unsigned int model_size = ${bytes.length};`, "#endif", "");
  return new TextEncoder().encode(lines.join("\n"));
}

/**
 * The bytes that such a header holds.
 *
 * @throws UserError when it is none.
 */
export function bytesOfArray(text: Uint8Array, file: string): Uint8Array {
  const [, body] = /\bmodel\[\] = \{([^}]*)\};/.exec(new TextDecoder().decode(text)) ?? [];
  if (body === undefined) throw new UserError(`${basename(file)}: holds no array of a model, or is damaged`);
  return Uint8Array.from(body.match(/0x[0-9a-f]{2}/g) ?? [], Number);
}
