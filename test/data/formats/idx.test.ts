import fc from "fast-check";
import t from "tap";
import { UserError } from "../../../src/core/errors.ts";
import { classIndices, type IdxKind, parseIdx } from "../../../src/data/formats/idx.ts";
import { idxBytes, idxImages, idxLabels } from "../../fixtures/idx.ts";

t.test("images and labels are read as they were written", async (t) => {
  const images = parseIdx(idxImages(3, 2, 5), "images", "file");
  t.same(images.shape, [3, 2, 5]);
  t.same([...images.values.subarray(10, 20)], [7, 8, 9, 10, 11, 12, 13, 14, 15, 16], "the second image");
  const labels = parseIdx(idxLabels(12), "labels", "file");
  t.same(labels.shape, [12]);
  t.same([...classIndices(labels, 10, "file")], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
});

t.test("pixels are a view whose slice is a copy", async (t) => {
  const { values } = parseIdx(idxImages(2), "images", "file");
  const copy = values.slice(0, 4);
  copy[0] = 99;
  t.equal(values[0], 0);
});

const altered = (bytes: Buffer, offset: number, value: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[offset] = value;
  return copy;
};
const images = idxImages(2);
const huge = idxBytes([0xffffffff, 28, 28], new Uint8Array(100));

const damages: readonly (readonly [string, Buffer, IdxKind, RegExp])[] = [
  ["an empty file", Buffer.alloc(0), "images", /truncated at offset 0: the header of images has 16 bytes/],
  ["a cut header", images.subarray(0, 7), "images", /truncated at offset 7: the header of images has 16 bytes/],
  ["cut pixels", images.subarray(0, 40), "images", /truncated at offset 40: expected 48 bytes by its header, has 40/],
  [
    "trailing bytes",
    Buffer.concat([images, images]),
    "images",
    /trailing bytes at offset 48: expected 48 bytes .*, has 96/,
  ],
  [
    "another magic number",
    altered(images, 0, 0x89),
    "images",
    /it starts with 89 00 08 03 at offset 0, expected 00 00 08 03/,
  ],
  ["elements that are no bytes", altered(images, 2, 0x0d), "images", /element type 0d at offset 2, expected 08/],
  ["labels in place of images", idxLabels(30), "images", /1 dimensions at offset 3, expected 3/],
  ["images in place of labels", images, "labels", /3 dimensions at offset 3, expected 1/],
  ["no images", idxBytes([0, 4, 4], new Uint8Array(0)), "images", /size 0 of dimension 1 at offset 4/],
  ["images without width", idxBytes([2, 4, 0], new Uint8Array(0)), "images", /size 0 of dimension 3 at offset 12/],
  ["absurd sizes", huge, "images", /sizes 4294967295 x 28 x 28 at offset 4 announce more than the 1073741824 bytes/],
];

for (const [name, bytes, kind, message] of damages) {
  t.test(`${name}: refused with the file's name and the offset`, async (t) => {
    const error = t.throws(() => parseIdx(bytes, kind, "data/file"), message) as unknown;
    t.type(error, UserError);
    t.match((error as Error).message, /^cannot read data\/file: .*; copy or download the file again$/);
  });
}

t.test("a label beyond the classes is refused with its image and offset", async (t) => {
  const labels = parseIdx(idxBytes([4], Uint8Array.of(0, 9, 10, 11)), "labels", "file");
  t.throws(() => classIndices(labels, 10, "file"), /label 10 of image 2 at offset 10, expected 0 to 9/);
  t.same([...classIndices(labels, 12, "file")], [0, 9, 10, 11]);
});

/** Parses, and says whether it ended in data or in an error for users; anything else, or a large allocation, throws. */
function tame(bytes: Buffer, kind: IdxKind): boolean {
  const before = process.memoryUsage().arrayBuffers;
  try {
    const { shape, values } = parseIdx(bytes, kind, "file");
    if (kind === "labels") classIndices({ shape, values }, 10, "file");
    if (values.length !== shape.reduce((product, size) => product * size, 1)) return false;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  return process.memoryUsage().arrayBuffers - before < 1e6;
}

const kinds = fc.constantFrom<IdxKind>("images", "labels");
const size = fc.oneof(fc.nat(6), fc.integer({ min: 0, max: 0xffffffff }));

t.test("arbitrary bytes give data or an error for users, and cost no memory", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), kinds, (bytes, kind) => tame(Buffer.from(bytes), kind)),
      { seed: 2, numRuns: 2000 },
    ),
  );
});

t.test("headers that lie give data or an error for users, and cost no memory", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(size, { maxLength: 4 }), fc.uint8Array({ maxLength: 300 }), kinds, (shape, values, kind) =>
        tame(idxBytes(shape, values), kind),
      ),
      { seed: 3, numRuns: 2000 },
    ),
  );
});

t.test("changed, cut and prolonged files give data or an error for users", async (t) => {
  const valid = { images: idxImages(5), labels: idxLabels(50) };
  const change = fc.record({ offset: fc.nat(100), value: fc.nat(255) });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        kinds,
        fc.array(change, { maxLength: 4 }),
        fc.nat(100),
        fc.uint8Array({ maxLength: 4 }),
        (kind, changes, cut, tail) => {
          const bytes = Buffer.concat([valid[kind].subarray(0, valid[kind].length - cut), tail]);
          for (const { offset, value } of changes) if (offset < bytes.length) bytes[offset] = value;
          return tame(bytes, kind);
        },
      ),
      { seed: 4, numRuns: 2000 },
    ),
  );
});
