// npm run setup:onnx-python: a virtual environment with the packages that check exported files (380 MB, once).
// With the argument hls4ml it has hls4ml too (35 MB), which `npm run test:export` alone uses.
import { execFileSync } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";

const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
const folder = join(cache, "bayesian-bits", "onnx-python");
const run = (program, args) => execFileSync(program, args, { stdio: ["ignore", "inherit", "inherit"] });

run("python3", ["-m", "venv", folder]);
run(join(folder, "bin", "pip"), [
  "install",
  "--quiet",
  "onnx==1.23.2",
  "qonnx==1.0.0",
  "onnxruntime==1.32.0",
  "ai-edge-litert==2.3.0",
  ...(process.argv.includes("hls4ml") ? ["hls4ml==1.3.0"] : []),
]);
