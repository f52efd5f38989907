// npm run setup:onnx-python: a virtual environment with the packages that check exported files (420 MB, once), each the
// file whose hash is pinned in requirements.txt. Python 3.11 or newer.
import { execFileSync } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
const folder = join(cache, "bayesian-bits", "onnx-python");
const requirements = fileURLToPath(new URL("requirements.txt", import.meta.url));
const run = (program, args) => execFileSync(program, args, { stdio: ["ignore", "inherit", "inherit"] });

run("python3", ["-m", "venv", folder]);
// What is built from source would fetch its tools without a hash.
const pinned = ["--require-hashes", "--only-binary", ":all:"];
run(join(folder, "bin", "pip"), ["install", "--quiet", ...pinned, "--requirement", requirements]);
