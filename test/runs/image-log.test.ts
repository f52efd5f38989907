import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { ImageLog, imageLogFile, readImages } from "../../src/runs/image-log.ts";

const images = ["train/a/1.jpg", "train/b/2.png"].map((name, index) => ({
  ...{ name, bytes: 100 + index },
  sha256: createHash("sha256").update(name).digest("hex"),
}));

t.test("what was logged is read again, up to a place", async (t) => {
  const folder = t.testdir({});
  const log = new ImageLog(folder, null);
  t.equal(
    log.append(() => []),
    undefined,
    "no image, no log",
  );
  const first = log.append((count) => images.slice(count, 1))!;
  const second = log.append((count) => images.slice(count))!;
  t.strictSame([first.lines, second.lines], [1, 2]);
  t.strictSame(readImages(folder, first), images.slice(0, 1));
  t.strictSame(readImages(folder, second), images);
});

t.test("a line that is no image is named, be it JSON or not", async (t) => {
  const folder = t.testdir({});
  const path = join(folder, imageLogFile);
  new ImageLog(folder, null).append(() => images);
  const whole = readFileSync(path, "utf8");
  for (const line of ["{", "", "null", '{"name":"a","bytes":-1,"sha256":""}', "[".repeat(1000) + "]".repeat(1000)]) {
    const text = `${whole}${line}\n`;
    writeFileSync(path, text);
    const place = { lines: 3, bytes: text.length, sha256: createHash("sha256").update(text).digest("hex") };
    t.throws(() => readImages(folder, place), {
      name: "UserError",
      message: /^cannot read .*images\.ndjson: line 3 is not name, length and checksum of an image$/,
    });
  }
});
