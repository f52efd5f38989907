import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { configJsonSchema } from "../../src/config/canonical.ts";
import { loadConfig } from "../../src/config/load.ts";

t.test("configs/schema.json is current (npm run schema writes it)", (t) => {
  t.strictSame(JSON.parse(readFileSync("configs/schema.json", "utf8")), JSON.parse(JSON.stringify(configJsonSchema())));
  t.end();
});

t.test("every published configuration loads, and its header gives the command", (t) => {
  const files = readdirSync("configs").filter((name) => name.endsWith(".yaml"));
  t.ok(files.length >= 2);
  for (const name of files) {
    t.equal(loadConfig(join("configs", name)).config.name, name.replace(".yaml", ""));
    t.match(readFileSync(join("configs", name), "utf8"), /# Command: /);
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
  walk(configJsonSchema(), "");
  t.strictSame(undescribed, []);
  t.end();
});
