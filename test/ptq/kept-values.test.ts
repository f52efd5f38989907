import { readdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { ort } from "../../src/core/onnx-runtime.ts";
import { FileSession } from "../../src/onnx/file-session.ts";
import { KeptValues } from "../../src/ptq/kept-values.ts";

const run = (seed: number) =>
  new Map([
    ["a", FileSession.tensor(Float32Array.of(seed, -seed, 0.1), [1, 3])],
    ["part", FileSession.tensor(Float32Array.of(9, 9, seed, 9).subarray(2, 3), [1])],
    ["none", FileSession.tensor(new Float32Array(), [0, 2])],
    ["ids", new ort.Tensor("int64", BigInt64Array.of(BigInt(seed)), [1])],
  ]);

t.test("values come back run by run, and leave nothing in the folder for temporary files", async (t) => {
  const folder = t.testdir();
  const { TMPDIR: before } = process.env;
  process.env.TMPDIR = folder;
  t.teardown(() => (before === undefined ? delete process.env.TMPDIR : Object.assign(process.env, { TMPDIR: before })));
  await using kept = new KeptValues();
  for (const seed of [1, 2, 3]) t.equal(await kept.add(run(seed)), true);
  t.strictSame(readdirSync(folder), [], "what is on disk has no name");
  for (const seed of [3, 1, 2]) {
    const got = await kept.ofRun(seed - 1, ["part", "a", "ids", "none", "other"]);
    const expected = run(seed);
    t.strictSame([...got.keys()], ["part", "a", "ids", "none"]);
    for (const [name, { data, dims, type }] of got)
      t.strictSame({ data, dims, type }, { data: expected.get(name)?.data, dims: expected.get(name)?.dims, type });
  }

  process.env.TMPDIR = join(folder, "gone");
  await using homeless = new KeptValues();
  t.equal(await homeless.add(run(1)), false, "no folder, no room");
});
