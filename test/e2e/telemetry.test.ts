import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";

const hasStrace = spawnSync("strace", ["-V"]).status === 0;
const tsx = ["--import", import.meta.resolve("tsx")];

t.test("a session that lives for long writes no file and opens no socket to anywhere", { timeout: 120_000 }, (t) => {
  const folder = t.testdir();
  const home = join(folder, "home");
  mkdirSync(home);
  const moduleOf = (path: string) => JSON.stringify(resolve(path));
  const program = join(folder, "long-session.mts");
  // Ten seconds: the telemetry's collector is looked up after five.
  writeFileSync(
    program,
    `import { readFileSync } from "node:fs";
    import { RuntimeModel } from ${moduleOf("src/export/runtime.ts")};
    const file = ${moduleOf("test/fixtures/onnx/keras-cnn.onnx")};
    const model = await RuntimeModel.load(readFileSync(file), file);
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    await model.release();`,
  );
  const trace = join(folder, "trace");
  const own = [...tsx, program];
  const [command, args] = hasStrace
    ? ["strace", ["-f", "-e", "trace=socket", "-o", trace, process.execPath, ...own]]
    : [process.execPath, own];
  const { ORT_DISABLE_TELEMETRY: _, ...env } = process.env;
  const { status, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    env: { ...env, HOME: home, XDG_CACHE_HOME: join(home, "cache"), NODE_OPTIONS: "" },
  });
  t.equal(status, 0, stderr);
  t.strictSame(readdirSync(home, { recursive: true }), [], "nothing is written");
  if (hasStrace) {
    const sockets = readFileSync(trace, "utf8").match(/socket\(AF_(?!UNIX)\w+/g) ?? [];
    t.strictSame(sockets, [], "no socket beyond this machine's own");
  } else t.comment("strace is missing: sockets were not looked at");
  t.end();
});
