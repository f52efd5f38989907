import { z } from "zod";
import { settingsSchema } from "./schema.ts";
import { adaround, type FileMethod } from "./sections/methods/layerwise-settings.ts";
import { productQuantization } from "./sections/methods/product-quantization-settings.ts";
import {
  type ActivationBits,
  calibration,
  imageInput,
  networkFile,
  quantizeBits,
  quantizeData,
  quantizeExport,
  quantizeMethod,
  skip,
  verify,
} from "./sections/quantize-settings.ts";

const { name, note, seed } = settingsSchema.shape;

const sections = z.strictObject({
  name: name.optional(),
  note,
  seed,
  network: networkFile,
  data: quantizeData.optional(),
  input: imageInput,
  calibration,
  method: quantizeMethod,
  bits: quantizeBits,
  skip,
  verify,
  export: quantizeExport,
});

/** How an ONNX file is quantized without training, as a configuration file describes it. */
export const quantizeSchema = sections.superRefine((config, context) => {
  const refuse = (path: string[], message: string, input: unknown) =>
    context.addIssue({ code: "custom", path, message: `expected ${message}`, input });
  const { data, input, method, bits, verify } = config;
  const { granularity, iterations } = method;
  const finds = methodOf(config);
  if (iterations !== undefined && finds !== "adaround") {
    const why = `iterations are optimizer steps of the method adaround, and ${finds} takes none`;
    refuse(["method", "iterations"], `nothing: ${why}`, iterations);
  }
  if (finds === "product-quantization") checkCodebooks(config, refuse);
  else if (method.codebooks !== undefined)
    refuse(["method", "codebooks"], `nothing: the method ${finds} has none`, method.codebooks);
  if (granularity.startsWith("block") && finds !== "nearest") {
    refuse(["method", "granularity"], `tensor or channel: ${stepsOf(finds)}`, granularity);
  }
  if (granularity === "tensor" && finds === "bit-split") {
    refuse(["method", "granularity"], `channel: ${stepsOf(finds)}`, granularity);
  }
  const ofChannels = "budget" in bits && bits.granularity !== "tensor" ? "bits.granularity" : null;
  const given = Object.entries(bits.layers).find(([, widths]) => typeof widths !== "number")?.[0];
  const mixed = ofChannels ?? (given === undefined ? null : `bits.layers.${given}`);
  if (mixed !== null && granularity !== "channel") {
    const why = `${mixed} gives output channels bit-widths of their own, which need a step each`;
    refuse(["method", "granularity"], `channel: ${why}`, granularity);
  }
  const relativeBops = "budget" in bits && "relativeBops" in bits.budget ? bits.budget.relativeBops : null;
  if (bits.activations === "budget" && relativeBops === null) {
    const why = "budget.relativeBops alone chooses widths of activations";
    refuse(["bits", "activations"], `8, 16 or 32: ${why}`, bits.activations);
  }
  if (data === undefined) {
    const remedy = "give some with --data, as --data samples.npz, or as data";
    if (finds !== "nearest" && finds !== "product-quantization")
      refuse(["method", "name"], `nearest: the method ${finds} needs samples: ${remedy}`, finds);
    if (relativeBops !== null) {
      const why = "how often a layer multiplies, and what its activations harm, is seen on samples";
      refuse(["bits", "budget", "relativeBops"], `a budget of bytes or bits: ${why}: ${remedy}`, relativeBops);
    } else if (typeof bits.activations === "number" && bits.activations !== 32) {
      const why = "activations are calibrated on samples";
      refuse(["bits", "activations"], `32: ${why}; ${remedy}`, bits.activations);
    }
    for (const [key, threshold] of Object.entries(verify)) {
      refuse(["verify", key], `nothing: thresholds are held against samples: ${remedy}`, threshold);
    }
  }
  if ((data === undefined || "samples" in data) && (input.layout ?? input.range) !== undefined) {
    refuse(["input"], "nothing: it says how images go into the file, and the data is none", input);
  }
  if (
    data !== undefined &&
    "name" in data &&
    input.range === "bytes" &&
    "normalization" in data &&
    typeof data.normalization === "object"
  ) {
    refuse(["input", "range"], "unit: data.normalization is of pixels from 0 to 1", input.range);
  }
  if (config.export.layout === "transformers.js" && "budget" in bits) {
    const why = "transformers.js names files by the bits of their weights, and a budget mixes them: give bits.weights";
    refuse(["export", "layout"], `plain: ${why}`, config.export.layout);
  }
});

/** Weights without grids have no bits, and activations beside them stay in float. */
function checkCodebooks(
  { bits, method }: Pick<z.output<typeof sections>, "bits" | "method">,
  refuse: (path: string[], message: string, input: unknown) => void,
): void {
  const why = "the method product-quantization makes weights codes into codebooks (method.codebooks)";
  if ("budget" in bits) refuse(["bits", "budget"], `nothing: ${why}`, bits.budget);
  if (Object.keys(bits.layers).length > 0) refuse(["bits", "layers"], `nothing: ${why}`, bits.layers);
  if (bits.activations !== undefined && bits.activations !== 32)
    refuse(["bits", "activations"], `32: ${why}, for kernels in float32`, bits.activations);
  if (method.granularity !== "channel") refuse(["method", "granularity"], `nothing: ${why}`, method.granularity);
}

const stepsOf = (method: FileMethod) =>
  `the method ${method} has a step for each output channel: choose nearest for this granularity`;

export type QuantizeConfig = z.output<typeof quantizeSchema>;

/** Such a configuration as it is written: what it leaves out has a default. */
export type QuantizeSettings = z.input<typeof quantizeSchema>;

/** Without data weights can only be rounded. */
function methodOf({
  data,
  method: { name, granularity },
  bits,
}: Pick<QuantizeConfig, "data" | "method" | "bits">): FileMethod {
  if (name !== undefined) return name;
  const isCoarse = "budget" in bits || bits.weights < 8;
  return data !== undefined && isCoarse && granularity === "channel" ? "bit-split" : "nearest";
}

/** A configuration in which nothing is left to what the rest of it is. */
export type ResolvedQuantize = QuantizeConfig & {
  readonly method: { readonly name: FileMethod };
  readonly bits: { readonly activations: ActivationBits | "budget" };
};

/** The configuration with defaults that depend on its other settings. */
export function resolveQuantize(config: QuantizeConfig): ResolvedQuantize {
  const { data, method, bits } = config;
  const name = methodOf(config);
  const { iterations = adaround.shape.iterations.parse(undefined) } = method;
  const isChosen = "budget" in bits && "relativeBops" in bits.budget;
  const codes = name === "product-quantization";
  const usual = data === undefined || codes ? 32 : isChosen ? "budget" : 8;
  return {
    ...config,
    method: {
      ...method,
      name,
      ...(name === "adaround" && { iterations }),
      ...(codes && { codebooks: codebooksOf(method) }),
    },
    bits: { ...bits, activations: bits.activations ?? usual },
  };
}

const codebooksOf = ({ codebooks }: QuantizeConfig["method"]) => {
  const { blockSize, centroids, activations, biasCorrection, iterations, projection, firstLayer } =
    codebooks ?? productQuantization.parse({ name: "product-quantization" });
  return { blockSize, centroids, activations, biasCorrection, iterations, projection, firstLayer };
};
