import { existsSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { runFetch } from "../../src/commands/fetch-command.ts";
import { UsageError } from "../../src/core/errors.ts";
import { silent } from "../../src/core/progress.ts";
import { withoutMnist } from "../fixtures/real-mnist.ts";

function context(json: boolean) {
  const lines: string[] = [];
  return { lines, json, reporter: silent, print: (line: string) => void lines.push(line) };
}

t.test("an unknown data set is refused with the known ones", async (t) => {
  const error: unknown = await runFetch({ dataset: "mnits" }, context(false)).catch((reason: unknown) => reason);
  t.type(error, UsageError);
  t.equal(
    (error as Error).message,
    'fetch "mnits": no such data set; those that can be fetched: mnist, reuters-r8, cifar10',
  );
});

t.test("the files, their sizes and checksums are printed", { skip: await withoutMnist() }, async (t) => {
  const people = context(false);
  await runFetch({ dataset: "mnist" }, people);
  t.equal(people.lines.length, 5);
  t.match(people.lines[0], /^mnist in .*mnist$/);
  t.equal(
    people.lines[2],
    "  train-labels-idx1-ubyte     60008 bytes  SHA-256 65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
  );

  const machines = context(true);
  await runFetch({ dataset: "mnist" }, machines);
  t.equal(machines.lines.length, 1);
  const { folder, files } = JSON.parse(machines.lines[0]!) as { folder: string; files: { name: string }[] };
  t.equal(files.length, 4);
  for (const { name } of files) t.ok(existsSync(join(folder, name)));
});
