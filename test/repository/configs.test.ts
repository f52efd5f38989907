import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { configJsonSchema, sweepJsonSchema } from "../../src/config/canonical.ts";
import { loadConfig } from "../../src/config/load.ts";
import { loadSweep } from "../../src/config/load-sweep.ts";
import { planSweep } from "../../src/sweep/plan.ts";

const isSweep = (path: string) => /^sweep:/m.test(readFileSync(path, "utf8"));

t.test("configs/schema.json and configs/sweep.schema.json are current (npm run schema writes them)", (t) => {
  for (const [file, schema] of [
    ["schema.json", configJsonSchema()],
    ["sweep.schema.json", sweepJsonSchema()],
  ] as const)
    t.strictSame(JSON.parse(readFileSync(join("configs", file), "utf8")), JSON.parse(JSON.stringify(schema)), file);
  t.end();
});

t.test("every published configuration loads, and its header gives the command", (t) => {
  const files = readdirSync("configs").filter((name) => name.endsWith(".yaml"));
  t.ok(files.length >= 2);
  for (const name of files) {
    const path = join("configs", name);
    const loaded = isSweep(path) ? planSweep(loadSweep(path), { threads: 1 }) : loadConfig(path).config;
    t.equal(loaded.name, name.replace(".yaml", ""));
    t.match(readFileSync(path, "utf8"), /# Command: /);
  }
  t.end();
});

t.test("every setting has a description", (t) => {
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
  t.strictSame(undescribed, []);
  t.end();
});
