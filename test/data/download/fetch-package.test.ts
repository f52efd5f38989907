import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { UserError } from "../../../src/core/errors.ts";
import { ensurePackageFiles, type PackageSource } from "../../../src/data/download/fetch-package.ts";
import { archiveOf, integrityOf, type Registry, sha256Of, startRegistry } from "../../fixtures/registry.ts";
import { recordingReporter } from "../../fixtures/reporter.ts";

const name = "some-data";
const a = Buffer.from("a".repeat(5000));
const b = Buffer.from("b".repeat(70));
const archive = archiveOf([
  { path: "package/package.json", content: Buffer.from('{"scripts":{"install":"exit 1"}}') },
  { path: "package/data/a", content: a },
  { path: "package/data/b", content: b },
]);
const source: PackageSource = {
  name,
  version: "1.0.0",
  integrity: integrityOf(archive),
  bytes: archive.length,
  files: [
    { path: "data/a", bytes: a.length, sha256: sha256Of(a) },
    { path: "data/b", bytes: b.length, sha256: sha256Of(b) },
  ],
};

/** A folder of its own, and pacote's options for a registry without a cache from other tests. */
function place(t: Test, registry: Registry | string) {
  const root = t.testdir();
  const folder = join(root, "some", "cache");
  const url = typeof registry === "string" ? registry : registry.url;
  const npm = { registry: url, cache: join(root, "npm"), retry: { retries: 0 } };
  return { folder, npm, reporter: recordingReporter(), remedy: "bring your own" };
}

t.test("files are fetched once, with progress, and then found", async (t) => {
  const registry = await startRegistry(name, archive);
  t.teardown(() => registry.close());
  const options = place(t, registry);
  const expected = [
    { name: "a", bytes: a.length, sha256: sha256Of(a) },
    { name: "b", bytes: b.length, sha256: sha256Of(b) },
  ];
  t.same(await ensurePackageFiles(source, options), expected);
  t.same(readdirSync(options.folder).sort(), ["a", "b"], "nothing else is left there");
  t.ok(readFileSync(join(options.folder, "a")).equals(a));
  const { bar, infos, warnings } = options.reporter;
  t.same([bar[0], bar.at(-2), bar.at(-1)], [archive.length, archive.length, "stop"]);
  t.match(infos, [/^fetching some-data 1\.0\.0 \(0\.0 MB\) from 127\.0\.0\.1:\d+$/]);
  t.same(warnings, []);

  const asked = registry.requests.length;
  t.same(await ensurePackageFiles(source, options), expected);
  t.equal(registry.requests.length, asked, "no request for what is there");
});

t.test("a damaged file is fetched again with a warning, a missing one without", async (t) => {
  const registry = await startRegistry(name, archive);
  t.teardown(() => registry.close());
  const options = place(t, registry);
  await ensurePackageFiles(source, options);
  const changed = Buffer.from(b);
  changed[3] = 0;
  writeFileSync(join(options.folder, "b"), changed);
  await ensurePackageFiles(source, options);
  t.match(options.reporter.warnings, [/b is damaged \(its SHA-256 is another\): fetching it again$/]);
  t.ok(readFileSync(join(options.folder, "b")).equals(b));

  writeFileSync(join(options.folder, "a"), a.subarray(10));
  await ensurePackageFiles(source, options);
  t.equal(options.reporter.warnings.length, 2, "a cut file is damaged too");
  rmSync(join(options.folder, "a"));
  await ensurePackageFiles(source, options);
  t.ok(readFileSync(join(options.folder, "a")).equals(a));
  t.equal(options.reporter.warnings.length, 2);
});

t.test("credentials go to the registry that they are for", async (t) => {
  const registry = await startRegistry(name, archive);
  t.teardown(() => registry.close());
  const { npm, ...options } = place(t, registry);
  const token = { [`//${new URL(registry.url).host}/:_authToken`]: "secret", "//other.test/:_authToken": "other" };
  await ensurePackageFiles(source, { ...options, npm: { ...npm, ...token } });
  t.ok(registry.requests.length >= 2);
  t.ok(registry.requests.every(({ authorization }) => authorization === "Bearer secret"));
});

/** Fetching must fail with `message` and leave nothing behind. */
async function fails(t: Test, registry: Registry | string, changed: Partial<PackageSource>, message: RegExp) {
  const options = place(t, registry);
  const error: unknown = await ensurePackageFiles({ ...source, ...changed }, options).catch(
    (reason: unknown) => reason,
  );
  t.type(error, UserError);
  t.match((error as Error).message, message);
  t.match((error as Error).message, /^cannot fetch some-data 1\.0\.0 from 127\.0\.0\.1:\d+: .*; bring your own$/);
  t.notOk(existsSync(options.folder), "nothing is written");
}

t.test("without a network the error says what to do", async (t) => {
  const registry = await startRegistry(name, archive);
  await registry.close();
  await fails(t, registry.url, {}, /ECONNREFUSED/);
});

t.test("a registry without the package is an error", async (t) => {
  const registry = await startRegistry("other", archive);
  t.teardown(() => registry.close());
  await fails(t, registry, {}, /404/);
});

t.test("an archive other than the pinned one is refused, whatever the registry says of it", async (t) => {
  const other = archiveOf([{ path: "package/data/a", content: Buffer.from("c".repeat(5000)) }]);
  const swapped = await startRegistry(name, archive, other);
  t.teardown(() => swapped.close());
  await fails(t, swapped, { bytes: 1e6 }, /integrity/i);
  const republished = await startRegistry(name, other);
  t.teardown(() => republished.close());
  await fails(t, republished, { bytes: 1e6 }, /integrity/i);
});

t.test("an archive that is longer than the pinned one is not read to its end", async (t) => {
  const registry = await startRegistry(name, archive, Buffer.concat([archive, Buffer.alloc(5e6)]));
  t.teardown(() => registry.close());
  await fails(t, registry, {}, /longer than the expected \d+ bytes/);
});

t.test("a file with another checksum than the pinned one is refused", async (t) => {
  const registry = await startRegistry(name, archive);
  t.teardown(() => registry.close());
  const files = source.files.map((file) => ({ ...file, sha256: sha256Of(Buffer.from("other")) }));
  await fails(t, registry, { files }, /data\/a has SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}/);
});

t.test("a folder that cannot be written is an error for users", async (t) => {
  const registry = await startRegistry(name, archive);
  t.teardown(() => registry.close());
  const options = place(t, registry);
  const folder = join(t.testdir({ file: "" }), "file", "below");
  await t.rejects(ensurePackageFiles(source, { ...options, folder }), /^cannot read .*below/, "a path below a file");
  const occupied = t.testdir({ a: {} });
  await t.rejects(
    ensurePackageFiles(source, { ...options, folder: occupied }),
    /^cannot write .*a:/,
    "a folder in its place",
  );
});
