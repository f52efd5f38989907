import { readdirSync, utimesSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import t from "tap";
import { writeFileAtomically } from "../../src/core/atomic-file.ts";
import { placeBeside } from "../../src/core/leftovers.ts";
import { nobody } from "../fixtures/left-lock.ts";

/** What another process of this machine, or one of another machine, has beside `path`. */
function left(path: string, pid: number, { state = "part", foreign = false } = {}): string {
  const own = placeBeside(path, "part");
  const place = own.replace(`.${process.pid}.part`, `.${pid}.${state}`);
  const made = foreign ? place.replace(/\.[0-9a-f]{8}\./, ".00000000.") : place;
  writeFileSync(made, "half");
  return made;
}

t.test("writing a file clears what killed writers of it have left, and nothing else", async (t) => {
  const folder = t.testdir();
  const path = join(folder, "model.onnx");
  for (const state of ["part", "unverified"]) left(path, nobody, { state });
  const old = left(path, nobody, { foreign: true });
  utimesSync(old, 0, 0);
  const kept = [
    left(path, process.ppid),
    left(path, 1, { foreign: true }),
    left(join(folder, "other.onnx"), nobody),
  ].map((place) => basename(place));
  writeFileSync(join(folder, ".model.onnx.part"), "a user's");
  writeFileAtomically(path, "new");
  t.strictSame(readdirSync(folder).toSorted(), [...kept, ".model.onnx.part", "model.onnx"].toSorted());
});
