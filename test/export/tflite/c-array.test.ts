import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { bytesOfArray, cArray } from "../../../src/export/tflite/c-array.ts";
import { lowerTflite } from "../../../src/export/tflite/lower-tflite.ts";
import { frozenNetwork, plainPlan } from "../../fixtures/frozen-networks.ts";

const options = { input: "uint8", metadata: {} } as const;
const network = frozenNetwork(plainPlan);
const lowered = lowerTflite(network, options);
const header = cArray(network, lowered, options);

t.test("a header holds the file, and says which operators it needs", async (t) => {
  t.strictSame(bytesOfArray(header, "model.h"), lowered.bytes);
  const text = new TextDecoder().decode(header);
  t.match(text, /MicroMutableOpResolver<\d+>: .*AddConv2D.*AddFullyConnected/);
  t.match(text, `a TensorFlow Lite file of ${lowered.bytes.length} bytes`);
  t.throws(() => bytesOfArray(header.subarray(0, 3000), "model.h"), {
    name: "UserError",
    message: /model\.h: holds no array of a model, or is damaged/,
  });
});

const program = `
#include <stdint.h>
#include <stdio.h>
#include "model.h"
int main(void) {
  if ((uintptr_t)model % 16 != 0 || model_size != sizeof model) return 1;
  return fwrite(model, 1, model_size, stdout) == model_size ? 0 : 2;
}
`;

for (const [compiler, language, standard] of [
  ["gcc", "c", "c11"],
  ["g++", "c++", "c++17"],
] as const) {
  const missing = spawnSync(compiler, ["--version"]).status === 0 ? false : `${compiler} is not here`;
  t.test(`${compiler} compiles the header, and its bytes are aligned`, { skip: missing }, async (t) => {
    const folder = t.testdir();
    writeFileSync(join(folder, "model.h"), header);
    const [source, built] = [join(folder, "main.c"), join(folder, "main")];
    writeFileSync(source, program);
    const flags = ["-x", language, `-std=${standard}`, "-Wall", "-Wextra", "-Werror", "-pedantic"];
    const { status, stderr } = spawnSync(compiler, [...flags, source, "-o", built], { encoding: "utf8" });
    t.equal(status, 0, stderr);
    const printed = spawnSync(built, { maxBuffer: 2 ** 24 });
    t.equal(printed.status, 0);
    t.strictSame(Uint8Array.from(printed.stdout), lowered.bytes);
    t.ok(readFileSync(join(folder, "model.h")).length > lowered.bytes.length);
  });
}
