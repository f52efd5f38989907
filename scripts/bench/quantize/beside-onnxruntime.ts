import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { cacheFolder } from "../../../src/core/cache-folder.ts";
import { messageOf } from "../../../src/core/errors.ts";
import { silent } from "../../../src/core/progress.ts";
import { FileSession } from "../../../src/onnx/file-session.ts";
import { compareOutputs } from "../../../src/ptq/compare-outputs.ts";
import { openFileSamples } from "../../../src/ptq/file-samples.ts";
import { parseLine } from "../../../src/runs/appended-log.ts";
import { markdownTable } from "../../markdown-table.ts";
import { quantize } from "./command.ts";
import { readIndex } from "./corpus-index.ts";

// npm run bench:quantize:beside -- FOLDER [NAME …]: ten networks of the corpus, quantized here and by onnxruntime's own tools
// (quantize_static, quantize_dynamic, MatMulNBits), calibrated on the same samples and compared on the same others.
// Seconds are of whole processes: here with the comparison and the report, there without.
const networks = [
  "wakeword-embedding",
  "nsfw-opset17",
  "page-orientation",
  "text-detection",
  "text-recognition",
  "captcha-crnn",
  "captcha-detector",
  "speech-quality",
  "sentence-minilm-l3",
  "focus-vit",
];
const SEED = 1;
const outcomeSchema = z.strictObject({ prepared: z.boolean(), error: z.string().nullable() });

/** The last line of a text; null, which is no outcome, where it is not JSON. */
const lastJson = (text: string): unknown => parseLine(text.trim().split("\n").at(-1) ?? "");

interface Row {
  readonly tool: string;
  readonly bytes: number | null;
  readonly sqnrDb: number | null;
  readonly agreement: number | null;
  readonly seconds: number | null;
  readonly words: string;
}

const [corpus, ...chosen] = process.argv.slice(2);
if (corpus === undefined) throw new Error("usage: npm run bench:quantize:beside -- FOLDER [NAME …]");
const python = join(cacheFolder("onnx-python"), "bin", "python");
if (!existsSync(python)) throw new Error(`no ${python}: npm run setup:onnx-python makes it`);
const script = fileURLToPath(new URL("python/onnxruntime_tools.py", import.meta.url));

for (const name of chosen.length > 0 ? chosen : networks) {
  const model = readIndex(corpus).find((one) => one.name === name);
  if (!model?.data) throw new Error(`${name}: is not in the corpus, or has no inputs`);
  const [file, data] = [join(corpus, model.file), join(corpus, model.data.file)];
  await using float = await FileSession.load(file, file);
  // As `quantize` splits them.
  const options = { inputs: float.inputs, limit: undefined, seed: SEED, reporter: silent };
  const samples = await openFileSamples(data, options);
  const calibrating = samples.calibration.order;
  const scratch = mkdtempSync(join(tmpdir(), "beside-"));

  async function measured(tool: string, path: string, seconds: number | null, words: string | null): Promise<Row> {
    const none = { tool, sqnrDb: null, agreement: null, seconds };
    if (words !== null || !existsSync(path)) return { ...none, bytes: null, words: words ?? "wrote nothing" };
    const bytes = statSync(path).size;
    try {
      await using written = await FileSession.load(path, path);
      const { outputs } = await compareOutputs(float, written, samples.compared().batches);
      const least = (values: readonly (number | null)[]) => {
        const known = values.flatMap((value) => value ?? []);
        return known.length > 0 ? Math.min(...known) : null;
      };
      const [sqnrDb, agreement] = [least(outputs.map((o) => o.sqnrDb)), least(outputs.map((o) => o.agreement))];
      return { tool, bytes, sqnrDb, agreement, seconds, words: "" };
    } catch (error) {
      return { ...none, bytes, words: messageOf(error).split("\n")[0] ?? "" };
    }
  }

  async function ours(tool: string, args: readonly string[]): Promise<Row> {
    const folder = join(scratch, tool.replaceAll(" ", "-"));
    const { refusal, wallSeconds } = await quantize([file, "--data", data, ...args, "--out", folder]);
    return measured(tool, join(folder, "model.onnx"), wallSeconds, refusal);
  }

  async function theirs(tool: string, mode: string): Promise<Row> {
    const out = join(scratch, `${mode}.onnx`);
    const args = ["-W", "ignore", script, file, mode, data, calibrating.join(","), out];
    const started = performance.now();
    const { stdout, status, signal } = spawnSync(python, args, { encoding: "utf8", maxBuffer: 2 ** 26 });
    const seconds = (performance.now() - started) / 1000;
    const line = outcomeSchema.safeParse(lastJson(stdout));
    if (!line.success) return measured(tool, out, seconds, `ended with ${signal ?? status}`);
    const row = await measured(tool, out, seconds, line.data.error);
    return line.data.prepared ? row : { ...row, words: `not preprocessed; ${row.words}` };
  }

  try {
    const rows = [
      await ours("W8A8 here", ["--weights", "8"]),
      await theirs("quantize_static", "static"),
      await ours("W8 here", ["--weights", "8", "--activations", "32"]),
      await theirs("quantize_dynamic", "dynamic"),
      await ours("W4 here", ["--weights", "4", "--activations", "32", "--method", "nearest"]),
      await theirs("quantize_static int4", "static4"),
      await theirs("MatMulNBits", "nbits"),
    ];
    const cells = rows.map(({ tool, bytes, sqnrDb, agreement, seconds, words }) => [
      tool,
      bytes === null ? "none" : (bytes / 1e6).toFixed(2),
      sqnrDb === null ? "" : sqnrDb.toFixed(1),
      agreement === null ? "" : `${agreement.toFixed(1)} %`,
      seconds === null ? "" : seconds.toFixed(1),
      words.slice(0, 120),
    ]);
    console.log(`${name}, ${(readFileSync(file).length / 1e6).toFixed(2)} MB\n`);
    console.log(markdownTable(["", "MB", "dB", "same class", "seconds", ""], cells));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
