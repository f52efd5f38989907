import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { z } from "zod";
import { type QuantizeConfig, quantizeSchema } from "./quantize-schema.ts";
import { configSchema, type RunConfig } from "./schema.ts";
import { sweep } from "./sections/sweep-settings.ts";

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
};

/** The resolved configuration as YAML: loading it gives the same configuration. */
export const canonicalConfig = (config: RunConfig): string => stringify(config);

/**
 * How a file was quantized, as a configuration file: loading it gives the same.
 *
 * @param name Of that file.
 */
export const quantizeYaml = (config: QuantizeConfig, name: string): string =>
  `# yaml-language-server: $schema=${fileURLToPath(new URL("../../configs/quantize.schema.json", import.meta.url))}
# Command: bayesian-bits quantize ${name} --out FOLDER
${stringify(quantizeSchema.parse(config))}`;

/** SHA-256 of the resolved configuration, whatever the order of its keys. */
export const configHash = (config: RunConfig): string =>
  createHash("sha256")
    .update(JSON.stringify(sorted(config)))
    .digest("hex");

/** JSON Schema of an object. */
interface JsonSchema extends Record<string, unknown> {
  readonly properties: Record<string, unknown>;
}

/** JSON Schema of configuration files, for editors. */
export const configJsonSchema = (): JsonSchema => fileSchema(configSchema, "Bayesian Bits run");

/** JSON Schema of files that say how an ONNX file is quantized. */
export const quantizeJsonSchema = (): JsonSchema => fileSchema(quantizeSchema, "Bayesian Bits quantization");

function fileSchema(settings: z.ZodType, title: string): JsonSchema {
  // The schema of an object has properties.
  const schema = z.toJSONSchema(settings, { io: "input", target: "draft-7" }) as {
    properties: Record<string, unknown>;
    required?: string[];
  };
  return {
    ...schema,
    title,
    properties: {
      extends: {
        description: "file or files, relative to this one, whose settings this one starts from",
        anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }],
      },
      ...schema.properties,
    },
    // A file may leave to what it extends whatever it does not say.
    required: [],
  };
}

/** JSON Schema of files with a sweep: what a configuration has, and the section `sweep`. */
export function sweepJsonSchema(): Record<string, unknown> {
  const run = configJsonSchema();
  const { $schema: _, ...section } = z.toJSONSchema(sweep, { io: "input", target: "draft-7" });
  return {
    ...run,
    title: "Bayesian Bits sweep",
    properties: { ...run.properties, sweep: section },
    required: ["sweep"],
  };
}
