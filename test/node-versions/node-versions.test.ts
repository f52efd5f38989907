import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import t from "tap";
import { runFiles } from "../../src/runs/run-directory.ts";
import { digestOf } from "../fixtures/digests.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { outcome } from "../fixtures/outcome.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

// `npm run test:node-versions` sets it: it fetches a Node of every supported line, 120 MB each.
const asked = process.env.BAYESIAN_BITS_NODE_VERSIONS === "all";
const versions = ["20.20.2", "22.23.3", "24.21.0"];

const execute = promisify(execFile);
const folder = t.testdir();
const { platform, arch } = process;

/** The program `node` of a version, as the npm package of this platform has it. */
async function fetchNode(version: string): Promise<string> {
  const place = join(folder, `node-${version}`);
  const name = `node-${platform}-${arch}`;
  await execute("npm", ["install", "--prefix", place, "--ignore-scripts", "--no-audit", `${name}@${version}`]);
  return join(place, "node_modules", name, "bin", "node");
}

const data = writeSmallMnist(join(folder, "data"), { train: 160, test: 40 });
const float = join(folder, "float");

const ptq = [`training.from=${float}`, "method.calibration.images=64"];
/** Every optimizer, schedule, loss and search that has powers, exponentials, logarithms or angles in it. */
const runs = {
  "bayesian-bits": [
    "configs/mnist-lenet5-quick.yaml",
    ...["training.epochs=10", "training.gates.learningRate=0.05", "method.prior.target.relativeBops=3"],
    "training.ranges.schedule.name=cosine",
    'training.weights.schedule={"name":"multistep","milestones":[2,4,5,6],"factor":0.7}',
  ],
  adaround: ["configs/mnist-lenet5-adaround.yaml", ...ptq, "method.iterations=60"],
  "bit-split": ["configs/mnist-lenet5-bit-split.yaml", ...ptq],
} as const;

/** What a run on this Node makes of itself. */
async function bytesOf(node: string, out: string, [config, ...settings]: readonly string[]) {
  const all = [`data.folder=${data}`, "data.batchSize=8", ...settings];
  const args = ["dist/main.js", "train", config!, "--out", out, ...all.flatMap((setting) => ["--set", setting])];
  await execute(node, args, { env: { ...process.env, NODE_OPTIONS: "" } });
  const { record, ...rest } = outcome(out);
  const { environment, ...same } = JSON.parse(record);
  return { ...rest, bits: digestOf(readFileSync(runFiles(out).bits)), record: same, node: environment.node };
}

const skip = asked ? nativeMissing() : "a long check: npm run test:node-versions";
t.test("a run has the same bytes on every supported line of Node", { skip, timeout: 1_200_000 }, async (t) => {
  const nodes = await Promise.all(versions.map(fetchNode));
  await bytesOf(process.execPath, float, ["configs/mnist-lenet5-fp32.yaml", "training.epochs=2"]);
  for (const [name, settings] of Object.entries(runs)) {
    const made = [];
    for (const [index, node] of nodes.entries())
      made.push(await bytesOf(node, join(folder, `${name}-${index}`), settings));
    t.strictSame(
      made.map(({ node }) => node),
      versions.map((version) => `v${version}`),
    );
    const [before, ...others] = made.map(({ node: _, ...bytes }) => bytes);
    for (const [index, other] of others.entries())
      t.strictSame(other, before, `${name} on Node ${versions[index + 1]}`);
  }
});
