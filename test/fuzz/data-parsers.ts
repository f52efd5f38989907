import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { messageOf, UserError } from "../../src/core/errors.ts";
import { encodePng } from "../../src/core/png.ts";
import { cifar10Layout, cifar100Layout } from "../../src/data/formats/cifar-binary.ts";
import { type CifarFiles, readCifarFolder } from "../../src/data/formats/cifar-folder.ts";
import { parseLabels, sheetToBinary } from "../../src/data/formats/cifar-sheets.ts";
import { decodeImage } from "../../src/data/formats/folder/decode-image.ts";
import { readLabelTable } from "../../src/data/formats/folder/label-table.ts";
import { readGrayPng } from "../../src/data/formats/folder/read-gray-png.ts";
import { readIdxFile } from "../../src/data/formats/idx-file.ts";
import { loadNpz } from "../../src/data/formats/numpy/load-npz.ts";
import { parseNpyHeader } from "../../src/data/formats/numpy/npy.ts";
import { findTexts } from "../../src/data/formats/text/find-texts.ts";
import { cifarBytes } from "../fixtures/cifar.ts";
import { idxImages, idxLabels } from "../fixtures/idx.ts";
import { npy, npyImages, npyLabels, npz } from "../fixtures/npy.ts";
import { asFile, type FuzzedParser, text } from "./fuzzed-parser.ts";

/** A CIFAR folder whose training file is the one under test. */
function cifar(layout: CifarFiles["layout"]): FuzzedParser {
  const labelBytes = layout.labelClasses.length as 1 | 2;
  const files = {
    layout,
    archiveFolder: "archive",
    train: ["train.bin"],
    test: ["test.bin"],
    imagesPerFile: { train: 3, test: 1 },
  };
  return {
    seeds: [cifarBytes(3, labelBytes)],
    parse: asFile("train.bin", (_, folder) => {
      writeFileSync(join(folder, "test.bin"), cifarBytes(1, labelBytes));
      return readCifarFolder(folder, files);
    }),
  };
}

const pixels = (width: number, height: number) => ({
  width,
  height,
  channels: 3 as const,
  pixels: Uint8Array.from({ length: 3 * width * height }, (_, at) => (at * at) % 251),
});
const sheet = encodePng(pixels(1024, 2));
const picture = pixels(20, 12);
const raw = sharp(picture.pixels, { raw: picture });

const recipe = {
  shape: [8, 8, 3],
  resize: { fit: "crop", shorterSide: 9 },
  augmentation: { flip: true },
  seed: 1,
} as const;

/** The pool that decodes makes a user's error of what an image is refused with (decode-pool.ts). */
async function asUserError(decode: () => unknown): Promise<void> {
  try {
    await decode();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError || !(error instanceof Error)) throw error;
    throw new UserError(messageOf(error), { cause: error });
  }
}

const decode = (path: string): Promise<void> =>
  asUserError(() => decodeImage(readFileSync(path), recipe, { epoch: 0, index: 3 }, new Uint8Array(8 * 8 * 3), 0));

const mask = encodePng({
  ...{ width: 9, height: 5, channels: 1 },
  pixels: Uint8Array.from({ length: 45 }, (_, at) => at % 4),
});

/** A folder of texts whose training table is the one under test. */
const texts = (name: string, ...seeds: readonly string[]): FuzzedParser => ({
  seeds: text(...seeds),
  parse: asFile(name, (_, folder) => {
    writeFileSync(join(folder, "test.tsv"), "label\ttext\na\tone\n");
    return findTexts({ folder, columns: { text: "text", label: "label" } });
  }),
});

const arrays = npz({ images: npyImages([6, 4, 5, 3]), labels: npyLabels(6) });

/** Doors for data sets and images. */
export const dataParsers: Readonly<Record<string, FuzzedParser>> = {
  "idx-images": {
    seeds: [idxImages(5), gzipSync(idxImages(5))],
    parse: asFile("images", (path) => readIdxFile(path, "images")),
  },
  "idx-labels": {
    seeds: [idxLabels(9), gzipSync(idxLabels(9))],
    parse: asFile("labels", (path) => readIdxFile(path, "labels")),
  },
  "cifar10-binary": cifar(cifar10Layout),
  "cifar100-binary": cifar(cifar100Layout),
  "cifar-sheet": { seeds: [sheet], parse: (bytes) => sheetToBinary(bytes, [3, 7], "it") },
  "cifar-labels": { seeds: text("[3, 7, 9]"), parse: (bytes) => parseLabels(bytes, 3, "it") },
  "npy-header": {
    seeds: [npyImages([2, 3, 3, 1]), npy("<i8", [4], new Uint8Array(32))],
    parse: (bytes) => parseNpyHeader(bytes, "it"),
  },
  npz: {
    seeds: [arrays],
    parse: asFile("a.npz", (path) => loadNpz({ train: path, test: path }, "classes")),
  },
  "npz-tokens": {
    seeds: [npz({ x: npy("<i4", [3, 2], new Uint8Array(24)), y: npyLabels(3) })],
    parse: asFile("a.npz", (path) => loadNpz({ train: path, test: path }, "classes")),
  },
  "texts-csv": texts("train.csv", 'text,label\n"a ""b"", c\nd",x\ne,y\n'),
  "texts-tsv": texts("train.tsv", 'label\ttext\nx\ta "b\r\ny\tc\n'),
  "texts-jsonl": texts("train.jsonl", '{"text":"a b","label":"x"}\n{"text":"c","label":3}\n'),
  "label-table": {
    seeds: text('file,angle,"width, mm"\na.png,1.5,-2\n"b.png",0,3e4\n', "file,class\na.png,x\nb.png,y\n"),
    parse: asFile("labels.csv", (file) => {
      for (const kind of ["values", "labels", "classes"] as const) {
        try {
          readLabelTable({ file }, kind).of(["a.png"]);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
        }
      }
    }),
  },
  mask: {
    seeds: [mask, await sharp(mask).png({ palette: true, colours: 4 }).toBuffer()],
    parse: (bytes) => asUserError(() => readGrayPng(bytes)),
  },
  image: {
    seeds: [encodePng(picture), await raw.clone().jpeg().toBuffer(), await raw.clone().png().toBuffer()],
    parse: asFile("image", decode),
  },
};
