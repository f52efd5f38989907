import { createHash } from "node:crypto";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import t from "tap";
import { UserError } from "../../../src/core/errors.ts";
import { readIdxFile } from "../../../src/data/formats/idx-file.ts";
import { idxBytes, idxImages } from "../../fixtures/idx.ts";

const folder = t.testdir();
const images = idxImages(20, 28, 28);

function write(bytes: Uint8Array, name = "images-idx3-ubyte"): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

t.test("a plain file and its gzipped form hold the same images", async (t) => {
  const zipped = gzipSync(images);
  const plain = await readIdxFile(write(images), "images");
  const unpacked = await readIdxFile(write(zipped, "images.gz"), "images");
  t.same(plain.shape, [20, 28, 28]);
  t.ok(Buffer.from(plain.values).equals(images.subarray(16)));
  t.ok(Buffer.from(unpacked.values).equals(images.subarray(16)));
  const sha256 = createHash("sha256").update(zipped).digest("hex");
  t.same(unpacked.file, { name: "images.gz", bytes: zipped.length, sha256 }, "what is recorded is the stored file");
});

t.test("the first bytes tell a gzipped file, not its name", async (t) => {
  t.same((await readIdxFile(write(images, "plain.gz"), "images")).shape, [20, 28, 28]);
  t.same((await readIdxFile(write(gzipSync(images), "zipped"), "images")).shape, [20, 28, 28]);
});

t.test("what is no file is refused", async (t) => {
  await t.rejects(readIdxFile(join(folder, "nothing"), "images"), /cannot read .*nothing: ENOENT/);
  await t.rejects(readIdxFile(folder, "images"), /it is not a file/);
});

t.test("a device without an end is refused", { skip: process.platform === "win32" && "no such device" }, async (t) => {
  await t.rejects(readIdxFile("/dev/zero", "images"), /it is not a file/);
});

t.test("a huge file with a wrong header is not read", async (t) => {
  const path = write(idxBytes([60000, 28, 28], new Uint8Array(0)), "sparse");
  truncateSync(path, 2 ** 40);
  await t.rejects(
    readIdxFile(path, "images"),
    /trailing bytes at offset 47040016: expected 47040016 bytes by its header, has 1099511627776/,
  );
  const zipped = write(Uint8Array.of(0x1f, 0x8b), "sparse.gz");
  truncateSync(zipped, 2 ** 40);
  await t.rejects(readIdxFile(zipped, "images"), /1099511627776 bytes, at most 1073741824 can be read/);
});

t.test("a damaged gzip stream is refused with the reason", async (t) => {
  const zipped = gzipSync(images);
  await t.rejects(readIdxFile(write(zipped.subarray(0, 100)), "images"), /its gzip stream is truncated at offset 100;/);
  const wrongSum = Buffer.from(zipped);
  wrongSum[wrongSum.length - 8]! ^= 1;
  await t.rejects(readIdxFile(write(wrongSum), "images"), /its gzip stream is broken \(incorrect data check\)/);
  await t.rejects(readIdxFile(write(gzipSync(images.subarray(0, 1000))), "images"), /truncated at offset 1000/);
  await t.rejects(readIdxFile(write(gzipSync(Buffer.alloc(0))), "images"), /truncated at offset 0/);
});

t.test("a gzip bomb is unpacked no further than its header says", async (t) => {
  const bomb = gzipSync(Buffer.concat([images, Buffer.alloc(200e6)]));
  const started = process.memoryUsage().rss;
  await t.rejects(readIdxFile(write(bomb), "images"), /trailing bytes at offset 15696/);
  t.ok(process.memoryUsage().rss - started < 50e6);
});

t.test("changed gzip streams give the images or an error for users", async (t) => {
  const valid = gzipSync(idxImages(5));
  const path = join(folder, "changed");
  const change = fc.record({ offset: fc.nat(valid.length - 1), value: fc.nat(255) });
  await t.resolves(
    fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), fc.nat(20), async (changes, cut) => {
        const bytes = Buffer.from(valid.subarray(0, valid.length - cut));
        for (const { offset, value } of changes) if (offset < bytes.length) bytes[offset] = value;
        writeFileSync(path, bytes);
        try {
          await readIdxFile(path, "images");
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
        }
      }),
      { seed: 5, numRuns: 300 },
    ),
  );
});
