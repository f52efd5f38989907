import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { crc32, deflateRawSync, constants as zlib } from "node:zlib";
import { encodeSafetensors } from "../../src/runs/safetensors.ts";
import { idxBytes } from "../fixtures/idx.ts";
import { npy } from "../fixtures/npy.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";
import { zipOf } from "../fixtures/zip.ts";
import type { Bombs } from "./fuzzed-parser.ts";

/** Bytes that an input may have. */
const SIZE = 2 ** 20 - 4096;
/** Bytes that a configuration may have: larger ones are refused unread. */
const CONFIG_SIZE = 2 ** 18;

const text = (content: string): Buffer => Buffer.from(content);
/** `part` as often as fits, behind `before` and in front of `after`. */
const filled = (part: string, before = "", after = "", room = SIZE): Buffer =>
  text(before + part.repeat(Math.floor((room - before.length - after.length) / part.length)) + after);
const filledConfig = (part: string, before = "", after = ""): Buffer => filled(part, before, after, CONFIG_SIZE);
/** Lines by their numbers, as many as fit into a configuration. */
const numberedConfig = (line: (index: number) => string, before = ""): Buffer => {
  const lines = [before];
  for (let length = before.length, index = 0; ; index++) {
    const next = `${line(index)}\n`;
    length += next.length;
    if (length > CONFIG_SIZE) return text(lines.join(""));
    lines.push(next);
  }
};
/** Opened as often as fits and closed again. */
const nested = (open: string, close: string, room = SIZE): string => {
  const levels = Math.floor((room - 8) / (open.length + close.length));
  return `${open.repeat(levels)}1${close.repeat(levels)}`;
};

/** A deflated stream of `start`, and of zeros: a thousand of them take one byte. */
function deflatedZeros(start: Buffer, zeros: number): Buffer {
  const piece = 2 ** 20;
  const flush = { level: 9, finishFlush: zlib.Z_FULL_FLUSH };
  const count = Math.floor(zeros / piece);
  const pieces = count === 0 ? [] : new Array<Buffer>(count).fill(deflateRawSync(Buffer.alloc(piece), flush));
  return Buffer.concat([deflateRawSync(start, flush), ...pieces, deflateRawSync(Buffer.alloc(zeros % piece))]);
}

const littleEndian = (...words: readonly number[]): Buffer => Buffer.from(Uint32Array.from(words).buffer);

/** As gzip packs it, with a checksum that nobody gets to. */
const gzipZeros = (start: Buffer, zeros: number): Buffer =>
  Buffer.concat([
    Buffer.from("1f8b0800000000000003", "hex"),
    deflatedZeros(start, zeros),
    littleEndian(0, start.length + zeros),
  ]);

/** A zip archive of arrays that begin with these bytes and go on with zeros, with checksums that nobody gets to. */
const zipZeros = (entries: Readonly<Record<string, { start: Buffer; zeros: number }>>): Buffer =>
  zipOf(
    Object.entries(entries).map(([name, { start, zeros }]) => ({
      ...{ name, stored: deflatedZeros(start, zeros), deflated: true },
      ...{ size: start.length + zeros, checksum: 0 },
    })),
  );

const none = new Uint8Array();
const header = (type: string, shape: readonly number[]): Buffer => npy(type, shape, none);
/** Images and labels of one element each, or of as many as there are. */
const arrays = (images: readonly number[], labels = images.slice(0, 1)): Buffer => {
  const product = (shape: readonly number[]) => shape.reduce((total, size) => total * size, 1);
  return zipZeros({
    "images.npy": { start: header("|u1", images), zeros: product(images) },
    "labels.npy": { start: header("|u1", labels), zeros: product(labels) },
  });
};

/** A picture of zeros, whole but for its last checksum. */
function png(width: number, height: number, { interlaced = false } = {}): Buffer {
  const chunk = (kind: string, content: Buffer) => {
    const body = Buffer.concat([text(kind), content]);
    const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(content.length);
    checksum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, checksum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, interlaced ? 1 : 0], 8);
  const pixels = Buffer.concat([Buffer.from([0x78, 0xda]), deflatedZeros(Buffer.alloc(0), (3 * width + 1) * height)]);
  const signature = Buffer.from("89504e470d0a1a0a", "hex");
  return Buffer.concat([signature, chunk("IHDR", head), chunk("IDAT", pixels), chunk("IEND", Buffer.alloc(0))]);
}

/** In passes: a decoder holds all of them. Made in a process of its own, as making it takes as much. */
function passes(side: number): Buffer {
  const program = `require("sharp")({ create: { width: ${side}, height: ${side}, channels: 3, background: "red" } })
    .jpeg({ progressive: true, quality: 1, chromaSubsampling: "4:4:4" })
    .toBuffer()
    .then((bytes) => process.stdout.write(bytes));`;
  return execFileSync(process.execPath, ["-e", program], { maxBuffer: SIZE });
}

/** A file whose header is this text, with so many bytes of data. */
function tensors(json: string, dataBytes: number): Buffer {
  const bytes = Buffer.alloc(8 + json.length + dataBytes);
  bytes.writeBigUInt64LE(BigInt(json.length));
  bytes.write(json, 8);
  return bytes;
}

const overlapping = (): Buffer => {
  const data = 900_000;
  const one = (name: number) => `"${name}":{"dtype":"F32","shape":[${data / 4}],"data_offsets":[0,${data}]}`;
  return tensors(`{${Array.from({ length: 1500 }, (_, name) => one(name)).join()}}`, data);
};

const deepRecord = (): string =>
  JSON.stringify(sampleRecord()).replace('"config":{', `"config":{"deep":${nested("[", "]", SIZE / 2)},`);
/** A part of the sample's record that is a list of nothing, or of other lists and mappings of it. */
const emptyItems = (key: string, { before = "[", part = "{},", after = "{}]", room = SIZE } = {}): Buffer => {
  const whole = JSON.stringify({ ...sampleRecord(), [key]: "here" });
  const [start, end] = whole.split(`"${key}":"here"`) as [string, string];
  return filled(part, `${start}"${key}":${before}`, after + end, room);
};

/** What the schema of every file of this program may be asked to judge. */
const jsonBombs = (room = SIZE): Bombs => ({
  brackets: () => text(nested("[", "]", room)),
  "objects in objects": () => text(nested('{"a":', "}", room)),
  "empty lists": () => filled("[],", "[", "[]]", room),
  numbers: () => filled("1,", "[", "1]", room),
  keys: () => text(`{${Array.from({ length: room / 13 }, (_, key) => `"${key}":1`).join()}}`),
  "one key again and again": () => filled('"a":1,', "{", '"a":1}', room),
  "a long number": () => filled("9", "", "", room),
  "a long string": () => filled("\\u0000", '"', '"', room),
});

const grid = (lists: number, values: number): Buffer => {
  const settings = [
    "seed",
    "training.epochs",
    "data.batchSize",
    "training.warmup",
    "engine.threads",
    "method.prior.strength",
  ];
  const list = Array.from({ length: values }, (_, value) => value + 1);
  return text(
    JSON.stringify({ sweep: { grid: Object.fromEntries(settings.slice(0, lists).map((path) => [path, list])) } }),
  );
};

const state = (record: string): Buffer =>
  text(`{"progress":{"epoch":0,"batch":0,"step":0,"sums":{}},"record":${record}}`);

/** A checkpoint around a state, signed, so that what is behind the checksum is reached. */
const signed = (json: Buffer): Buffer => {
  const sha256 = createHash("sha256").update(json).digest("hex");
  const metadata = { format: "bayesian-bits-checkpoint", version: "3", state: json.toString("utf8"), sha256 };
  return Buffer.from(encodeSafetensors(new Map(), metadata));
};

/**
 * Inputs of less than 1 MB, by parser, that ask for gigabytes, minutes or megabytes of messages. Wheels (`zip`) and packages have
 * none: only those with a pinned hash are unpacked.
 */
export const bombsBySize: Readonly<Record<string, Bombs>> = {
  "idx-images": {
    "a gigabyte of zeros, packed": () => gzipZeros(idxBytes([1_300_000, 28, 28], none), 1_300_000 * 784),
    "more than announced": () => gzipZeros(idxBytes([1, 28, 28], none), 2 ** 29),
    "one image of a gigabyte": () => gzipZeros(idxBytes([1, 32_000, 32_000], none), 32_000 * 32_000),
  },
  "idx-labels": {
    "a gigabyte of zeros, packed": () => gzipZeros(idxBytes([1_000_000_000], none), 1_000_000_000),
    "as many as may be": () => gzipZeros(idxBytes([260_000_000], none), 260_000_000),
  },
  npz: {
    "images of half a gigabyte": () => arrays([10_000, 128, 128, 3]),
    "images that may be": () => arrays([2600, 128, 128, 3]),
    "images of one element": () => arrays([130_000_000, 1, 1, 1]),
    "as many images of one element as may be": () => arrays([7_000_000, 1, 1, 1]),
    "labels alone": () => arrays([1, 1, 1, 1], [260_000_000]),
    "an array in a thousand directories": () =>
      zipZeros(
        Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`${i}.npy`, { start: none as Buffer, zeros: 0 }])),
      ),
  },
  "npy-header": {
    "a shape of a thousand axes": () => header("|u1", new Array(15_000).fill(1)),
    digits: () => npy("|u1", [1], none, (line) => line.replace("(1,)", `(${"9".repeat(60_000)},)`)),
    spaces: () => npy("|u1", [1], none, (line) => line.replace("(1,)", `(${" ,".repeat(30_000)}`)),
    names: () => npy("|u1", [1], none, () => "'descr':".repeat(8000)),
  },
  image: {
    "a large picture": () => png(8192, 8192),
    "a picture beyond all measure": () => png(16_000, 16_000),
    "a wide picture": () => png(2 ** 20, 300),
    "a large picture in passes": () => png(8192, 8192, { interlaced: true }),
    "a large photograph in passes": () => passes(8192),
  },
  "cifar-sheet": { "a sheet of many rows": () => png(1024, 200_000), "a square": () => png(16_000, 16_000) },
  "cifar-labels": jsonBombs(),
  config: {
    ...jsonBombs(CONFIG_SIZE),
    "flow in flow": () => filledConfig("[", "a: "),
    "mappings in mappings": () => text(Array.from({ length: 700 }, (_, depth) => `${" ".repeat(depth)}a:\n`).join("")),
    "keys in keys": () => text(Array.from({ length: 700 }, (_, depth) => `${" ".repeat(depth)}?\n`).join("")),
    "a billion laughs": () =>
      text(
        Array.from(
          { length: 30 },
          (_, i) => `l${i}: &l${i} [${new Array(9).fill(i === 0 ? "lol" : `*l${i - 1}`).join()}]`,
        ).join("\n"),
      ),
    anchors: () => numberedConfig((i) => `k${i}: &a${i} 1`),
    "aliases of one anchor": () => filledConfig("*a,", "a: &a 1\nb: [", "*a]"),
    "aliases of aliases": () => numberedConfig((i) => `k${i + 1}: &k${i + 1} [*k${i}]`, "k0: &k0 1\n"),
    "mappings merged": () => filledConfig("*a,", "a: &a {b: 1}\nc:\n <<: [", "*a]"),
    "unknown keys": () => numberedConfig((i) => `training.k${i}: 1`),
    "unknown keys of one section": () => numberedConfig((i) => ` k${i}: 1`, "training:\n"),
    "long keys": () => numberedConfig((i) => `${"k".repeat(1000)}${i}: 1`),
    "one key without end": () => filledConfig("k", "", ": 1"),
    "a number without end": () => filledConfig("9", "seed: "),
    "an exponent without end": () => filledConfig("9", "seed: 1e"),
    "runs that are none": () => filledConfig("{},", "sweep: { list: [", "{}] }"),
    "a section of nothings": () => filledConfig("{},", "data: [", "{}]"),
    colons: () => filledConfig(": "),
    dashes: () => filledConfig("- "),
    commas: () => filledConfig(",", "a: [", "]"),
    "closing brackets": () => filledConfig("]"),
    quotes: () => filledConfig('"'),
    "open quotes, line by line": () => filledConfig('"\n', "a: ["),
    "apostrophes, line by line": () => filledConfig("'a\n"),
    "keys of open quotes": () => filledConfig('a: "\n'),
    "quotes in a list": () => filledConfig('"', "a: ["),
    "lines that go on": () => filledConfig("\\\n", 'a: "b\n', ' "'),
    "escapes that are none": () => filledConfig("\\q", 'a: "', '"'),
    "texts of no lines": () => filledConfig("|\n", "a: "),
    "lines of nothing": () => filledConfig("\n"),
    "lines of nothing in a text": () => filledConfig("\n", "a: |\n b"),
    spaces: () => filledConfig(" ", "a: b", "b"),
    tabs: () => filledConfig("\t\n", "a:\n"),
    "tabs of indentation": () => filledConfig("\ta: b\n"),
    documents: () => filledConfig("---\n"),
    directives: () => filledConfig("%YAML 1.2\n"),
    tags: () => filledConfig("!a ", "a: "),
    "anchors of nothing": () => filledConfig("&a\n"),
    "larger than may be": () => filled("#\n"),
  },
  setting: {
    "a deep path": () => text(`${"a.".repeat(60_000)}a=1`),
    "a deep value": () => text(`training=${"[".repeat(100_000)}`),
    "a wide value": () => text(`training={${Array.from({ length: 15_000 }, (_, i) => `k${i}: 1`).join()}}`),
    "a long value": () => filled("x", "name="),
    quotes: () => filled('"', "name=", "", 2 ** 17),
  },
  sweep: {
    "a grid beyond all numbers": () => grid(6, 25_000),
    "a long grid": () => grid(1, 100_000),
    "a square": () => grid(2, 300),
    "as many draws": () =>
      text(JSON.stringify({ sweep: { random: { count: 1e15, settings: { seed: { int: [1, 9] } } } } })),
    "a list of runs": () => filledConfig('{"seed":1},', '{"sweep":{"list":[', '{"seed":1}]}}'),
    brackets: () => text(`sweep: ${nested("[", "]", CONFIG_SIZE - 8)}`),
  },
  "sweep-state": {
    ...jsonBombs(),
    "runs that are none": () =>
      filled(
        "{},",
        '{"format":"bayesian-bits-sweep","version":1,"name":"s","runner":"local","jobs":[],"runs":[',
        "{}]}",
      ),
    "jobs that are none": () =>
      filled(
        "{},",
        '{"format":"bayesian-bits-sweep","version":1,"name":"s","runner":"local","runs":[],"jobs":[',
        "{}]}",
      ),
  },
  record: {
    ...jsonBombs(),
    "a deep configuration": () => text(deepRecord()),
    "epochs that are none": () => emptyItems("epochs"),
    "epochs that are none, of the first version": () =>
      text(
        emptyItems("epochs")
          .toString()
          .replace(/"version":\d+/, '"version":1'),
      ),
    "environments that are none": () => emptyItems("laterEnvironments"),
    "quantizers that are none": () => emptyItems("quantizers"),
    "exports that are none": () => emptyItems("exports"),
    "layers that are none": () => emptyItems("network", { before: '{"layers":[', after: "{}]}" }),
    "metrics that are none": () => emptyItems("task", { before: '{"metrics":[', after: "{}]}" }),
    "times that are none": () => emptyItems("times", { before: '{"epochSeconds":[', part: '"",', after: '""]}' }),
    "what quantizers that are none have learned": () => {
      const learned = Array.from({ length: 80_000 }, (_, id) => `"${id}":{}`).join();
      return emptyItems("postTraining", { before: `{"quantizers":{${learned}`, part: " ", after: "}}" });
    },
  },
  "epoch-log": {
    "lines of nothing": () => filled("{}\n"),
    "epochs that are none": () => filled('{"epoch":{}}\n'),
    "lines that are none": () => filled("\n"),
    brackets: () => text(nested("[", "]")),
  },
  safetensors: {
    "tensors of the same bytes": overlapping,
    "a shape of many axes": () =>
      tensors(`{"a":{"dtype":"F32","shape":[${"1,".repeat(400_000)}1],"data_offsets":[0,4]}}`, 4),
    "a header of brackets": () => tensors(nested("[", "]"), 0),
    "tensors of nothing": () =>
      tensors(
        `{${Array.from({ length: 14_000 }, (_, i) => `"${i}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`).join()}}`,
        0,
      ),
    "names that are none": () => tensors(`{${Array.from({ length: 80_000 }, (_, i) => `"${i}":1`).join()}}`, 0),
  },
  checkpoint: { "a state of brackets": () => signed(text(nested("[", "]"))) },
  "checkpoint-state": {
    "epochs that are none": () => state(emptyItems("epochs", { room: SIZE - 100 }).toString()),
    "a deep record": () => state(deepRecord()),
    brackets: () => text(nested("[", "]")),
  },
  lock: jsonBombs(),
};
