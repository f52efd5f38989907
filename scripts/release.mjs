// Makes what is released, in `release/`: the package, what is in it (CycloneDX), and the licences of all that it needs.
// Stops at the first thing that is not as it should be: known vulnerabilities, packages that are not pinned to their
// bytes, a licence that nobody has looked at, or one that docs/licences.md does not name.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const out = "release";
/** What is asserted of all that others have written. */
const asserted = ["test/repository/supply-chain.test.ts", "test/scripts/licences.test.ts"];

run("npm", ["run", "--silent", "check"]);
run("npm", ["exec", "--", "tap", "--reporter=terse", ...asserted]);
audit();
rmSync(out, { recursive: true, force: true });
mkdirSync(out);
rmSync("dist", { recursive: true, force: true });
run("npm", ["run", "--silent", "build"]);
const sbom = run("npm", ["sbom", "--omit=dev", "--sbom-format=cyclonedx", "--package-lock-only"]);
writeFileSync(join(out, "sbom.cdx.json"), sbom);
copyFileSync(join("docs", "licences.md"), join(out, "THIRD-PARTY.md"));
run("npm", ["pack", "--silent", "--pack-destination", out]);
console.log("release/: the package, sbom.cdx.json, THIRD-PARTY.md");

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
  if (error || status !== 0)
    fail(`${stdout ?? ""}\n${command} ${args.join(" ")} ended with ${error?.message ?? status}`);
  return stdout;
}

function fail(message) {
  console.error(`release: ${message}`);
  process.exit(1);
}
