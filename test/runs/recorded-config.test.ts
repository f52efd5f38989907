import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import t from "tap";
import { configHash } from "../../src/config/canonical.ts";
import { changedSettings, describeChange } from "../../src/config/changes.ts";
import { readRecord } from "../../src/runs/record-file.ts";
import { recordedConfig } from "../../src/runs/recorded-config.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";

const committed = execFileSync("git", ["ls-files", "reports"], { encoding: "utf8" })
  .split("\n")
  .filter((path) => path.endsWith("record.json"));

t.test("the configurations of all committed records are read, and say what they said", (t) => {
  t.ok(committed.length > 50);
  for (const path of committed) {
    const { config } = readRecord(dirname(path));
    const said = JSON.parse(readFileSync(path, "utf8")).config;
    // Settings that are younger than the record have their defaults.
    const changes = changedSettings(said, config).filter(({ before }) => before !== undefined);
    t.strictSame(changes.map(describeChange), [], path);
  }
  t.end();
});

t.test("settings of another version: unknown ones are left out, missing ones have their defaults", (t) => {
  const { config } = sampleRecord();
  const { note: _, checkpoint: __, ...older } = config;
  const other = { ...older, data: { ...older.data, sharpness: 3 }, method: { ...older.method, taste: { salt: 1 } } };
  const before = structuredClone(other);
  const read = recordedConfig.parse(other);
  t.strictSame(read, config);
  t.equal(configHash(read), configHash(config));
  t.strictSame(other, before, "what is read stays as it was");
  t.end();
});

t.test("what is no configuration is refused with its place", (t) => {
  const { config } = sampleRecord();
  const { error } = recordedConfig.safeParse({ ...config, seed: "one", extra: true });
  t.strictSame(
    error?.issues.map(({ path }) => path),
    [["seed"]],
  );
  for (const value of [null, 3, [], {}]) t.notOk(recordedConfig.safeParse(value).success);
  t.end();
});
