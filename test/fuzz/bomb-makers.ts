import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { crc32, deflateRawSync, constants as zlib } from "node:zlib";
import { encodeSafetensors } from "../../src/runs/safetensors.ts";
import { npy } from "../fixtures/npy.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";
import { zipOf } from "../fixtures/zip.ts";
import type { Bombs } from "./fuzzed-parser.ts";

/** Bytes that an input may have. */
export const SIZE = 2 ** 20 - 4096;
/** Bytes that a configuration may have: larger ones are refused unread. */
export const CONFIG_SIZE = 2 ** 18;

export const text = (content: string): Buffer => Buffer.from(content);
/** `part` as often as fits, behind `before` and in front of `after`. */
export const filled = (part: string, before = "", after = "", room = SIZE): Buffer =>
  text(before + part.repeat(Math.floor((room - before.length - after.length) / part.length)) + after);
export const filledConfig = (part: string, before = "", after = ""): Buffer => filled(part, before, after, CONFIG_SIZE);
/** Lines by their numbers, as many as fit into a configuration. */
export const numberedConfig = (line: (index: number) => string, before = ""): Buffer => {
  const lines = [before];
  for (let length = before.length, index = 0; ; index++) {
    const next = `${line(index)}\n`;
    length += next.length;
    if (length > CONFIG_SIZE) return text(lines.join(""));
    lines.push(next);
  }
};
/** Opened as often as fits and closed again. */
export const nested = (open: string, close: string, room = SIZE): string => {
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
export const gzipZeros = (start: Buffer, zeros: number): Buffer =>
  Buffer.concat([
    Buffer.from("1f8b0800000000000003", "hex"),
    deflatedZeros(start, zeros),
    littleEndian(0, start.length + zeros),
  ]);

/** A zip archive of arrays that begin with these bytes and go on with zeros, with checksums that nobody gets to. */
export const zipZeros = (entries: Readonly<Record<string, { start: Buffer; zeros: number }>>): Buffer =>
  zipOf(
    Object.entries(entries).map(([name, { start, zeros }]) => ({
      ...{ name, stored: deflatedZeros(start, zeros), deflated: true },
      ...{ size: start.length + zeros, checksum: 0 },
    })),
  );

export const none = new Uint8Array();
export const header = (type: string, shape: readonly number[]): Buffer => npy(type, shape, none);
/** Images and labels of one element each, or of as many as there are. */
export const arrays = (images: readonly number[], labels = images.slice(0, 1)): Buffer => {
  const product = (shape: readonly number[]) => shape.reduce((total, size) => total * size, 1);
  return zipZeros({
    "images.npy": { start: header("|u1", images), zeros: product(images) },
    "labels.npy": { start: header("|u1", labels), zeros: product(labels) },
  });
};

/** A picture of zeros, whole but for its last checksum. */
export function png(width: number, height: number, { interlaced = false, gray = false } = {}): Buffer {
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
  head.set([8, gray ? 0 : 2, 0, 0, interlaced ? 1 : 0], 8);
  const row = (gray ? 1 : 3) * width + 1;
  const pixels = Buffer.concat([Buffer.from([0x78, 0xda]), deflatedZeros(Buffer.alloc(0), row * height)]);
  const signature = Buffer.from("89504e470d0a1a0a", "hex");
  return Buffer.concat([signature, chunk("IHDR", head), chunk("IDAT", pixels), chunk("IEND", Buffer.alloc(0))]);
}

/** In passes: a decoder holds all of them. Made in a process of its own, as making it takes as much. */
export function passes(side: number): Buffer {
  const program = `require("sharp")({ create: { width: ${side}, height: ${side}, channels: 3, background: "red" } })
    .jpeg({ progressive: true, quality: 1, chromaSubsampling: "4:4:4" })
    .toBuffer()
    .then((bytes) => process.stdout.write(bytes));`;
  return execFileSync(process.execPath, ["-e", program], { maxBuffer: SIZE });
}

/** A file whose header is this text, with so many bytes of data. */
export function tensors(json: string, dataBytes: number): Buffer {
  const bytes = Buffer.alloc(8 + json.length + dataBytes);
  bytes.writeBigUInt64LE(BigInt(json.length));
  bytes.write(json, 8);
  return bytes;
}

export const overlapping = (): Buffer => {
  const data = 900_000;
  const one = (name: number) => `"${name}":{"dtype":"F32","shape":[${data / 4}],"data_offsets":[0,${data}]}`;
  return tensors(`{${Array.from({ length: 1500 }, (_, name) => one(name)).join()}}`, data);
};

export const deepRecord = (): string =>
  JSON.stringify(sampleRecord()).replace('"config":{', `"config":{"deep":${nested("[", "]", SIZE / 2)},`);
/** A part of the sample's record that is a list of nothing, or of other lists and mappings of it. */
export const emptyItems = (key: string, { before = "[", part = "{},", after = "{}]", room = SIZE } = {}): Buffer => {
  const whole = JSON.stringify({ ...sampleRecord(), [key]: "here" });
  const [start, end] = whole.split(`"${key}":"here"`) as [string, string];
  return filled(part, `${start}"${key}":${before}`, after + end, room);
};

/** What the schema of every file of this program may be asked to judge. */
export const jsonBombs = (room = SIZE): Bombs => ({
  brackets: () => text(nested("[", "]", room)),
  "objects in objects": () => text(nested('{"a":', "}", room)),
  "empty lists": () => filled("[],", "[", "[]]", room),
  numbers: () => filled("1,", "[", "1]", room),
  keys: () => text(`{${Array.from({ length: room / 13 }, (_, key) => `"${key}":1`).join()}}`),
  "one key again and again": () => filled('"a":1,', "{", '"a":1}', room),
  "a long number": () => filled("9", "", "", room),
  "a long string": () => filled("\\u0000", '"', '"', room),
});

export const grid = (lists: number, values: number): Buffer => {
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

export const state = (record: string): Buffer =>
  text(`{"progress":{"epoch":0,"batch":0,"step":0,"sums":{}},"record":${record}}`);

/** A checkpoint around a state, signed, so that what is behind the checksum is reached. */
export const signed = (json: Buffer): Buffer => {
  const sha256 = createHash("sha256").update(json).digest("hex");
  const metadata = { format: "bayesian-bits-checkpoint", version: "3", state: json.toString("utf8"), sha256 };
  return Buffer.from(encodeSafetensors(new Map(), metadata));
};
