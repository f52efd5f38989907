import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { RunSettings } from "../../src/config/schema.ts";
import { exportRun } from "../../src/runner/export-run.ts";
import { train } from "../../src/runner/train.ts";
import { nativeMissing, random } from "../fixtures/engines.ts";
import { npy, npz } from "../fixtures/npy.ts";

const root = t.testdir();
const side = 16;
const pixels = side * side;

/** Images of which the left or the right half is bright: labels say which, or where. */
function written(part: string, count: number, labels: "masks" | "labels"): string {
  const path = join(root, `${part}-${labels}.npz`);
  const right = Uint8Array.from({ length: count }, (_, image) => image % 2);
  const mask = Uint8Array.from({ length: count * pixels }, (_, index) =>
    Number(Number(index % side >= side / 2) === right[Math.floor(index / pixels)]),
  );
  const noise = random(5, part, [count * pixels], 20);
  const images = mask.map((bright, index) => 60 + 120 * bright + noise[index]!);
  writeFileSync(
    path,
    npz({
      images: npy("|u1", [count, side, side, 1], images),
      labels: labels === "masks" ? npy("|u1", [count, side, side], mask) : npy("|u1", [count], right),
    }),
  );
  return path;
}

const npzOf = (labels: "masks" | "labels") => ({
  ...{ name: "npz" as const, batchSize: 8 },
  ...{ train: written("train", 48, labels), test: written("test", 12, labels) },
});

/** Texts are told by one word; they end in padding. */
function texts(): RunSettings["data"] {
  const row = (index: number) => {
    const word = index % 2 === 0 ? "cat" : "red";
    return `${index % 2 === 0 ? "animal" : "colour"}\tthe ${index % 3 === 0 ? `big ${word}` : word} stands`;
  };
  for (const part of ["train", "test"]) {
    const rows = Array.from({ length: part === "train" ? 48 : 12 }, (_, index) => row(index));
    writeFileSync(join(root, `${part}.tsv`), ["label\ttext", ...rows].join("\n"));
  }
  return { name: "text", folder: root, batchSize: 8, maxTokens: 6, vocabulary: { minimum: 1 } };
}

const cases: readonly (Pick<RunSettings, "task" | "data" | "network"> & {
  /** By TensorFlow Lite. */
  readonly refused: RegExp | null;
})[] = [
  {
    task: { name: "segmentation" },
    ...{ data: npzOf("masks"), network: { name: "unet", width: 4, depth: 2 }, refused: null },
  },
  {
    ...{ data: npzOf("labels"), network: { name: "vit-tiny", patch: 8, depth: 1 } },
    refused: /cannot export .*: TensorFlow Lite files here are of networks on images, without /,
  },
  {
    ...{ data: texts(), network: { name: "text-encoder", width: 8, depth: 1 } },
    refused: /TensorFlow Lite files here take images, and this network reads tokens/,
  },
];

for (const [index, { refused, ...settings }] of cases.entries()) {
  const title = Object.values(settings.network).join(" ");
  t.test(`${title} learns, and its file is verified`, { skip: nativeMissing(), timeout: 120_000 }, async (t) => {
    const folder = join(root, `run-${index}`);
    const run: RunSettings = {
      ...settings,
      name: "run",
      method: { name: "bayesian-bits" },
      training: { epochs: 3, weights: { learningRate: 0.002 }, gates: { learningRate: 0.02 } },
      export: { latency: false },
      report: { sensitivity: false },
    };
    const { epochs, exports } = await train(run, { folder });
    const [first, last] = [epochs[0]!, epochs.at(-1)!].map(({ train }) => train.taskLoss);
    t.ok(last! < 0.9 * first!, `${first} to ${last}`);
    t.ok(exports[0]!.verification);
    const tflite = exportRun(folder, { form: "tflite", unverified: true });
    await (refused === null ? t.resolves(tflite) : t.rejects(tflite, { name: "UserError", message: refused }));
  });
}
