import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSamples } from "../../../src/ptq/read-samples.ts";
import { markdownTable } from "../../markdown-table.ts";
import { quantize } from "./command.ts";
import { readIndex } from "./corpus-index.ts";

// npm run bench:quantize:time -- FOLDER: seconds and memory of whole commands, comparison, latency and report included, for
// a network of the size of a MobileNet on 256 images, and for a transformer of 97 MB without data. The images are the
// photographs of the corpus, shifted and mirrored. It counts on an idle machine alone.
const [corpus] = process.argv.slice(2);
if (corpus === undefined) throw new Error("usage: npm run bench:quantize:time -- FOLDER");
const convolutions = "nsfw-opset17";
const cases = [
  { name: convolutions, what: "W8A8, nearest", limit: 60, arguments: ["--weights", "8"] },
  { name: convolutions, what: "W4A8, Bit-Split", limit: 300, arguments: ["--weights", "4"] },
  {
    name: convolutions,
    what: "W4A8, AdaRound, 1,000 iterations",
    limit: 600,
    arguments: ["--weights", "4", "--method", "adaround", "--iterations", "1000"],
  },
  { name: "focus-vit", what: "W8, no data", limit: 60, arguments: ["--weights", "8"] },
] as const;
const IMAGES = 256;

/** A .npy file of `count` images [height, width, channels], made of those of a file by shifting around and mirroring. */
async function writeImages(from: string, input: string, to: string, count: number): Promise<void> {
  const array = (await readSamples(from, [input])).arrays.get(input);
  const [samples = 0, height = 0, width = 0, channels = 0] = array?.shape ?? [];
  if (!(array?.data instanceof Float32Array) || channels === 0) throw new Error(`${from}: no images of ${input}`);
  const size = height * width * channels;
  const images = new Float32Array(count * size);
  for (let image = 0; image < count; image++) {
    const turn = Math.floor(image / samples);
    const source = array.data.subarray((image % samples) * size);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const column = turn % 2 === 0 ? x : width - 1 - x;
        const start = (((y + 13 * turn) % height) * width + ((column + 29 * turn) % width)) * channels;
        images.set(source.subarray(start, start + channels), image * size + (y * width + x) * channels);
      }
    }
  }
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${count}, ${height}, ${width}, ${channels}), }`;
  const header = Buffer.alloc(128, " ");
  header.write("\x93NUMPY\x01\x00\x76\x00", "latin1");
  header.write(text, 10, "latin1");
  header.write("\n", 127);
  writeFileSync(to, Buffer.concat([header, new Uint8Array(images.buffer)]));
}

const models = readIndex(corpus);
const scratch = mkdtempSync(join(tmpdir(), "bench-quantize-time-"));
try {
  const images = join(scratch, "images.npy");
  await writeImages(join(corpus, `data/${convolutions}.npz`), "input_0", images, IMAGES);
  const rows: string[][] = [];
  for (const { name, what, limit, arguments: given } of cases) {
    const model = models.find((one) => one.name === name);
    if (model === undefined) throw new Error(`${name}: is not in the corpus`);
    const data = name === convolutions ? ["--data", images] : [];
    const out = join(scratch, `run-${rows.length}`);
    const outcome = await quantize([join(corpus, model.file), ...data, ...given, "--out", out]);
    if (outcome.summary === null) throw new Error(`${name} ${what}: refused: ${outcome.refusal}`);
    const { bytes, sqnrDb, agreement } = outcome.summary;
    rows.push([
      name,
      what,
      `${(bytes.before / 1e6).toFixed(2)} → ${(bytes.after / 1e6).toFixed(2)}`,
      sqnrDb === null ? "" : sqnrDb.toFixed(1),
      agreement === null ? "" : `${agreement.toFixed(1)} %`,
      outcome.wallSeconds.toFixed(1),
      `${limit}`,
      (outcome.peakMiB / 1024).toFixed(2),
    ]);
    console.error(rows.at(-1)?.join(", "));
  }
  console.log(markdownTable(["network", "", "MB", "dB", "same class", "seconds", "limit", "peak GiB"], rows));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
