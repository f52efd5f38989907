import { parseArgs } from "node:util";
import { messageOf } from "../../src/core/errors.ts";
import { loadEngine } from "../../src/engine/load-engine.ts";
import { checkFolder } from "./check-folder.ts";

// npm run conformance -- DIR [--json] [--engine native|wasm]: a line per golden file; exit code 1 when one is off.
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false }, engine: { type: "string", default: "auto" } },
});
try {
  const [folder] = positionals;
  if (folder === undefined) throw new Error("usage: npm run conformance -- DIR [--json] [--engine native|wasm]");
  const { ops, info } = await loadEngine({ kind: values.engine as "auto" | "native" | "wasm" });
  if (!values.json) console.log(`engine: ${info.engine} (${info.tensorflow})`);
  for (const outcome of checkFolder(folder, ops, { long: true })) {
    const { file, cases, failed, maxError } = outcome;
    const line = `${file.padEnd(20)} ${cases} cases, ${failed} failed, largest error ${maxError.toExponential(2)}`;
    console.log(values.json ? JSON.stringify(outcome) : line);
    if (failed > 0) process.exitCode = 1;
  }
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
