import { join } from "node:path";
import t from "tap";
import { printResult } from "../../src/commands/result.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";

t.test("--json lists the files that are there, with their sizes", async (t) => {
  const record = sampleRecord();
  const [exported] = record.exports;
  const folder = t.testdir({ [exported!.file]: "onnx", "report.html": "page", "bits.json": "{}" });
  const lines: string[] = [];
  printResult(folder, record, { json: true, print: (line) => void lines.push(line) });
  t.strictSame(JSON.parse(lines.join("")).files, [
    { kind: "network", form: exported!.form, path: join(folder, exported!.file), bytes: 4 },
    { kind: "report", path: join(folder, "report.html"), bytes: 4 },
    { kind: "bits", path: join(folder, "bits.json"), bytes: 2 },
  ]);
});
