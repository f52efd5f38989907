// Sets a clone up, and does nothing when all is in place: packages, build, engine. Plain JavaScript without packages,
// as none may be there yet.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..");
process.chdir(root);

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Node ${process.versions.node} is too old: install Node 20.19 or newer (20, 22 and 24 are supported)`);
  process.exit(1);
}

function run(what, command, args) {
  console.error(what);
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  if (error || status !== 0) {
    console.error(`${what}: failed (${error?.message ?? `exit code ${status}`})`);
    process.exit(1);
  }
}

const stamp = "node_modules/.setup-stamp";
const lock = createHash("sha256").update(readFileSync("package-lock.json")).digest("hex");
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
  run("installing packages", "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  writeFileSync(stamp, lock);
}

const sources = [
  "tsconfig.json",
  "package.json",
  ...readdirSync("src", { recursive: true }).map((name) => join("src", name)),
];
const newest = Math.max(...sources.map((path) => statSync(path).mtimeMs));
const built = "dist/.built";
if (!existsSync(built) || statSync(built).mtimeMs < newest) {
  run("building", "npm", ["run", "--silent", "build"]);
  writeFileSync(built, "");
}

// The engine's own check takes a start of the program; its folder tells as much.
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "bayesian-bits", "engine");
const ready =
  existsSync(cache) &&
  readdirSync(cache).some((name) => existsSync(join(cache, name, "tfjs_binding.node")) && !name.endsWith(".part"));
const linked = existsSync("node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node");
if (!(ready && linked)) run("setting the engine up", process.execPath, ["dist/main.js", "setup"]);
