import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { configHash, configJsonSchema, quantizeJsonSchema, sweepJsonSchema } from "../../src/config/canonical.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import type { RunConfig } from "../../src/config/schema.ts";

t.test("the schemas in configs are current (npm run schema writes them)", async (t) => {
  for (const [file, schema] of [
    ["schema.json", configJsonSchema()],
    ["sweep.schema.json", sweepJsonSchema()],
    ["quantize.schema.json", quantizeJsonSchema()],
  ] as const)
    t.strictSame(JSON.parse(readFileSync(join("configs", file), "utf8")), JSON.parse(JSON.stringify(schema)), file);
});

t.test("every setting has a description", async (t) => {
  const undescribed: string[] = [];
  const walk = (schema: Record<string, unknown>, path: string) => {
    const properties = (schema.properties ?? {}) as Record<string, Record<string, unknown>>;
    for (const [name, property] of Object.entries(properties)) {
      if (property.description === undefined) undescribed.push(`${path}${name}`);
      walk(property, `${path}${name}.`);
    }
    for (const option of (schema.anyOf ?? schema.oneOf ?? []) as Record<string, unknown>[]) walk(option, path);
  };
  walk(sweepJsonSchema(), "");
  walk(quantizeJsonSchema(), "quantize: ");
  t.strictSame(undescribed, []);
});

/** The same value with the keys of all its mappings in reverse. */
const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, reversed(inner)])
      .reverse(),
  );
};

t.test("a configuration's hash depends on its settings, not on their order", async (t) => {
  const configured = (...set: string[]) => loadConfig("configs/mnist-lenet5-quick.yaml", { set }).config;
  const normalization = (mean: string) => configured(`data.normalization={mean: ${mean}, deviation: [1, 1]}`);
  const hash = configHash(configured());
  t.match(hash, /^[0-9a-f]{64}$/);
  t.equal(configHash(reversed(configured()) as RunConfig), hash);
  t.not(configHash(configured("seed=2")), hash);
  t.not(configHash(configured("training.gates.learningRate=0.5")), hash, "deep inside too");
  t.not(configHash(normalization("[0.1, 0.2]")), configHash(normalization("[0.2, 0.1]")), "lists have an order");
});
