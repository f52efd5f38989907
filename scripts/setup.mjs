// Sets a clone up, and does next to nothing when all is in place: packages, build, engine. Plain JavaScript without
// packages, as none may be there yet.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(join(dirname(fileURLToPath(import.meta.url)), ".."));

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`Node ${process.versions.node} is too old: install Node 20.19 or newer (20, 22 and 24 are supported)`);
}

if (!arePackagesInstalled()) step("installing packages", "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
if (!isBuilt()) {
  rmSync("dist/.built", { force: true });
  step("building", "npm", ["run", "--silent", "build"]);
  writeFileSync("dist/.built", "");
}
step(null, process.execPath, ["dist/main.js", "setup"]);

/** Whether npm's own note of what it installed, which it writes last, agrees with package-lock.json. */
function arePackagesInstalled() {
  const wanted = readPackages("package-lock.json");
  if (wanted === null) fail("package-lock.json is missing or damaged: restore it with git checkout package-lock.json");
  const installed = readPackages("node_modules/.package-lock.json");
  if (installed === null) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    const there = installed[path];
    // Packages for other systems are optional and left out.
    if (path === "" || (there === undefined && optional)) return true;
    return there?.version === version && there.integrity === integrity && existsSync(path);
  });
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages ?? null;
  } catch {
    return null;
  }
}

/** Whether the last whole build is newer than all that goes into it; a folder is newer when a file of it has gone. */
function isBuilt() {
  if (!existsSync("dist/main.js") || !existsSync("dist/.built")) return false;
  const built = statSync("dist/.built").mtimeMs;
  const sources = readdirSync("src", { recursive: true }).map((name) => join("src", name));
  return ["tsconfig.json", "package.json", "scripts/page-bundle.mjs", "src", ...sources].every(
    (path) => statSync(path).mtimeMs <= built,
  );
}

/** Runs one step with its output on standard error, which leaves standard output to the command that follows. */
function step(label, command, args) {
  if (label !== null) console.error(`set-up: ${label}`);
  const { status, signal, error } = spawnSync(command, args, {
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32" && command === "npm",
  });
  if (error || status !== 0) {
    const why = error?.message ?? (signal ? `ended by ${signal}` : `exit code ${status}`);
    fail(`${label ?? "setting the engine up"} failed (${command} ${args.join(" ")}: ${why})`, status || 1);
  }
}

function fail(message, code = 1) {
  console.error(`set-up: ${message}`);
  process.exit(code);
}
