import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { loadConfig } from "../../src/config/load-config.ts";
import { loadSweep } from "../../src/config/load-sweep.ts";
import { planSweep } from "../../src/sweep/plan.ts";

const isSweep = (path: string) => /^sweep:/m.test(readFileSync(path, "utf8"));

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
