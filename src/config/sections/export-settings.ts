import { z } from "zod";

/** Forms of ONNX files. */
export const onnxForms = ["compact", "packed", "int8", "nbits", "fp32", "qonnx"] as const;
export type OnnxForm = (typeof onnxForms)[number];

/** Forms of files. */
export const exportForms = [...onnxForms, "tflite", "c-array"] as const;
export type ExportForm = (typeof exportForms)[number];

/** What the file takes. */
export const exportInputs = ["uint8", "float", "int8"] as const;
export type ExportInput = (typeof exportInputs)[number];

/** Why files of a form do not take such images; null where they do. */
export const inputProblem = (form: ExportForm, input: ExportInput): string | null =>
  input === "int8" && onnxForms.some((one) => one === form)
    ? `files of form ${form} take uint8 pixels or normalised images: int8 ones are for tflite and c-array`
    : null;

/** Forms that can hold weights which are codes into codebooks; fp32 has their values. */
const codebookForms: readonly ExportForm[] = ["compact", "nbits", "fp32"];

/** Why files of a form have no weights that are codes into codebooks; null where they can. */
export const codebookProblem = (form: ExportForm): string | null =>
  codebookForms.includes(form)
    ? null
    : `expected ${new Intl.ListFormat("en-GB", { type: "disjunction" }).format(codebookForms)}: files of form ${form} hold weights as integers with a scale, not as codes into codebooks`;

/** Whether 8-bit weights may be int8 where x86 processors without VNNI could saturate. */
export const saturations = ["allow", "avoid"] as const;
export type Saturation = (typeof saturations)[number];

/** Whose names the files of a model get that was quantized without training. */
export const quantizedLayouts = ["plain", "transformers.js"] as const;
export type QuantizedLayout = (typeof quantizedLayouts)[number];

export const exportSection = z
  .strictObject({
    form: z
      .enum(exportForms)
      .default("compact")
      .describe(
        "compact: weights packed at their bits, cast to 8 when the file is loaded, for integer kernels; packed: 2-, 4-, 8- and 16-bit tensors as they are; int8: 2, 4 and 8 bits in 8-bit containers, for integer kernels; nbits: compact, with dense layers in float32 whose weights stay packed in memory, for onnxruntime; fp32: float32 values on the learned grids; qonnx: the same behind Quant nodes, for FINN and hls4ml; tflite: TensorFlow Lite, 2, 4 and 8 bits in integer kernels; c-array: the same as a C header, for microcontrollers",
      ),
    input: z
      .enum(exportInputs)
      .default("uint8")
      .describe(
        "uint8: pixels, normalised inside the file; int8: pixels less 128, as microcontrollers want them, for tflite and c-array; float: images that are normalised already",
      ),
    saturation: z
      .enum(saturations)
      .optional()
      .describe(
        "allow (if left out, on a machine that does not saturate): weights of 8 bits are int8, the fastest; on x86 processors without VNNI sums of two products may saturate; avoid: they are uint8 where that could be, exact on every processor, and where VNNI is more than twice as slow",
      ),
    unverified: z
      .boolean()
      .optional()
      .describe("whether a form whose runtime is not here may be written without being verified"),
    latency: z
      .union([z.literal(false), z.number().positive()])
      .optional()
      .describe(
        "seconds for the measurement of latency, beside the unpruned float32 network's, at batches of 1 and 32; 4 if left out; false: none",
      ),
  })
  .superRefine(({ form, input }, context) => {
    const message = inputProblem(form, input);
    if (message !== null) context.addIssue({ code: "custom", path: ["input"], message });
  })
  .prefault({})
  .describe("the exported file");
