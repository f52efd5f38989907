import { gunzipSync, gzipSync } from "node:zlib";
import t from "tap";
import { takeFiles } from "../../../src/data/download/package-archive.ts";
import { type ArchiveEntry, archiveOf, sha256Of } from "../../fixtures/registry.ts";

const content = Buffer.from("0123456789".repeat(100));
const wanted = [{ path: "data/a", bytes: content.length, sha256: sha256Of(content) }];
const take = (entries: readonly ArchiveEntry[]) => takeFiles(archiveOf(entries), wanted);
const good: ArchiveEntry = { path: "package/data/a", content };

t.test("the wanted files come out, and nothing else", async (t) => {
  const files = await take([{ path: "package/index.js", content }, good, { path: "package/data/b", content }]);
  t.same([...files.keys()], ["data/a"]);
  t.ok(files.get("data/a")!.equals(content));
});

const refused: readonly (readonly [string, readonly ArchiveEntry[], RegExp])[] = [
  ["a missing file", [{ path: "package/index.js", content }], /the archive lacks data\/a/],
  ["a path that leaves the package", [{ path: "package/../data/a", content }], /the archive lacks data\/a/],
  [
    "a symbolic link",
    [{ path: "package/data/a", type: "SymbolicLink", linkpath: "/etc/passwd" }],
    /data\/a is a SymbolicLink/,
  ],
  ["a hard link", [{ path: "package/data/a", type: "Link", linkpath: "package/b" }], /data\/a is a Link/],
  ["a folder", [{ path: "package/data/a", type: "Directory" }], /lacks data\/a|data\/a is a Directory/],
  ["a file that is twice there", [good, good], /data\/a is twice in the archive/],
  [
    "a file of another size",
    [{ path: "package/data/a", content: content.subarray(1) }],
    /data\/a has 999 bytes, expected 1000/,
  ],
];

for (const [name, entries, message] of refused) {
  t.test(`${name} is refused`, async (t) => {
    await t.rejects(take(entries), message);
  });
}

t.test("a damaged archive is refused", async (t) => {
  const archive = archiveOf([good, { path: "package/z", content }]);
  await t.rejects(takeFiles(archive.subarray(0, archive.length - 30), wanted), Error, "cut");
  await t.rejects(takeFiles(Buffer.from("no archive at all, but some text"), wanted), Error, "text");
  const cut = gunzipSync(archive).subarray(0, 700);
  await t.rejects(takeFiles(gzipSync(cut), wanted), Error, "cut before it was compressed");
});

t.test("an archive that unpacks to far more than is wanted is refused", async (t) => {
  const zeros = new Uint8Array(40e6);
  await t.rejects(
    take([{ path: "package/b", content: zeros }, { path: "package/c", content: zeros }, good]),
    /more than 67108864 other bytes|max decompression ratio exceeded/,
  );
});
