// Makes what is released, in `release/`: the package, what is in it (CycloneDX), and the licences of all that it needs.
// Stops at the first thing that is not as it should be: unknown vulnerabilities, a package without integrity, a licence
// that nobody has looked at.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const out = "release";

/** Licences that Apache-2.0 software may be shipped with; each was looked at. */
const accepted = new Set([
  ...[
    "MIT",
    "ISC",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "0BSD",
    "BlueOak-1.0.0",
    "CC0-1.0",
    "(MIT OR CC0-1.0)",
  ],
  ...["Apache-2.0 AND MIT", "(BSD-3-Clause AND Apache-2.0)"],
  // Lists of licence names (spdx-exceptions): attribution is in THIRD-PARTY.txt.
  "CC-BY-3.0",
]);

run("npm", ["run", "--silent", "check"]);
const packages = shipped();
audit();
rmSync(out, { recursive: true, force: true });
mkdirSync(out);
rmSync("dist", { recursive: true, force: true });
run("npm", ["run", "--silent", "build"]);
const sbom = run("npm", ["sbom", "--omit=dev", "--sbom-format=cyclonedx", "--package-lock-only"]);
writeFileSync(join(out, "sbom.cdx.json"), sbom);
const list = packages.map(({ name, version, license }) => `${name} ${version}: ${license}`);
writeFileSync(join(out, "THIRD-PARTY.txt"), `${list.join("\n")}\n`);
run("npm", ["pack", "--silent", "--pack-destination", out]);
console.log(`release/: the package, sbom.cdx.json, THIRD-PARTY.txt (${packages.length} packages)`);

/** What an installation brings along, from the lock file. */
function shipped() {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
  return Object.entries(packages).flatMap(([path, { version, license, integrity, dev }]) => {
    if (path === "" || dev) return [];
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    if (integrity === undefined) fail(`${name} has no integrity in package-lock.json`);
    if (!accepted.has(license))
      fail(`${name} ${version} has the licence ${license}, which is not among the accepted ones`);
    return [{ name, version, license }];
  });
}

/** Known vulnerabilities of what is shipped: none, or the release stops with the list. */
function audit() {
  const { status, stdout } = spawnSync("npm", ["audit", "--omit=dev", "--json"], { encoding: "utf8" });
  const report = JSON.parse(stdout || "{}");
  if (report.vulnerabilities === undefined)
    fail(`npm audit gave no answer: ${report.message ?? "is the registry reachable?"}`);
  if (status !== 0) fail(`npm audit found: ${Object.keys(report.vulnerabilities).join(", ")}`);
}

function run(command, args) {
  const { status, stdout, error } = spawnSync(command, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 2 ** 28,
  });
  if (error || status !== 0) fail(`${command} ${args.join(" ")} ended with ${error?.message ?? status}`);
  return stdout;
}

function fail(message) {
  console.error(`release: ${message}`);
  process.exit(1);
}
