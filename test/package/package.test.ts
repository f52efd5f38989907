import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";
import { writeImageFolder } from "../fixtures/image-folder.ts";
import { pathOf } from "../fixtures/onnx/files.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

// The package as a user gets it: installed from its tarball into an empty folder, without any install script. npm fetches
// what the package needs from its registry, so that this runs where that may be asked: npm run test:package.
const asked = process.env.BAYESIAN_BITS_PACKAGE === "1";

t.test("the package", { skip: !asked && "needs npm's registry: npm run test:package", timeout: 600_000 }, async (t) => {
  const folder = t.testdir();
  const data = writeSmallMnist(join(folder, "data"), { train: 320, test: 100 });
  const project = join(folder, "project");
  mkdirSync(project);
  execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], { stdio: "pipe" });
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true }));
  const inProject = (command: string, ...args: string[]) =>
    spawnSync(command, args, { cwd: project, encoding: "utf8", maxBuffer: 2 ** 26 });
  const installed = inProject("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", join(folder, tarball!));
  t.equal(installed.status, 0, installed.stderr);
  const own = join(project, "node_modules", "bayesian-bits");

  await t.test("what the README shows is in it, and nothing of the build alone", async (t) => {
    const shown = [...readFileSync(join(own, "README.md"), "utf8").matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)];
    t.ok(shown.length > 10);
    for (const [link, path] of shown) t.ok(existsSync(join(own, path!)), link);
    t.notOk(existsSync(join(own, "dist", ".built")));
    const { keywords } = JSON.parse(readFileSync(join(own, "package.json"), "utf8"));
    t.ok(keywords.includes("quantization"));
  });

  await t.test("it tells what runs", async (t) => {
    const { status, stdout, stderr } = inProject("npx", "--no", "bayesian-bits", "doctor");
    t.equal(status, 0, stderr);
    t.match(stdout, /engine/);
  });

  await t.test("it trains one of its configurations to a verified file", async (t) => {
    const setup = inProject("npx", "--no", "bayesian-bits", "setup");
    t.equal(setup.status, 0, setup.stderr);
    const config = join("node_modules", "bayesian-bits", "configs", "mnist-lenet5-quick.yaml");
    const small = [`data.folder=${resolve(data)}`, "training.epochs=1", "data.batchSize=32"];
    const set = small.flatMap((setting) => ["--set", setting]);
    const { status, stdout, stderr } = inProject(
      ...(["npx", "--no", "bayesian-bits", "train", config] as const),
      ...set,
      "--out",
      "run",
    );
    t.equal(status, 0, stderr);
    t.match(stdout, /model\.onnx {2}\(\d+ bytes\), verified/);
    for (const file of ["report.html", "bits.json", "record.json"]) t.ok(existsSync(join(project, "run", file)), file);
  });

  await t.test("init takes PyTorch's file and images, and what it prints runs as it is printed", async (t) => {
    copyFileSync(pathOf("pytorch-resnet-legacy"), join(project, "net.onnx"));
    await writeImageFolder(join(project, "photos"), { parts: { "": 3 }, side: 32 });
    const init = inProject("npx", "--no", "bayesian-bits", "init", "net.onnx", "--data", "photos");
    t.equal(init.status, 0, init.stderr);
    const printed = init.stdout.trim().split("\n").at(-1)!;
    t.equal(printed, "npx bayesian-bits train net.yaml");
    const short = " --set training.epochs=1 --set training.pretrain.epochs=1 --set export.latency=false";
    const { status, stdout, stderr } = inProject("sh", "-c", `${printed}${short}`);
    t.equal(status, 0, stderr);
    t.match(stdout, /reports\/net\/model\.onnx {2}\(\d+ bytes\), verified/);
    const doctor = inProject("sh", "-c", "BAYESIAN_BITS_ENGINE=wasm npx --no bayesian-bits doctor");
    t.match(doctor.stdout, /^remedy .*npx bayesian-bits setup says/m, "no script of npm's that a package has not");
  });
});
