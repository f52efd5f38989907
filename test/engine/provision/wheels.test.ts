import t from "tap";
import { wheels, wheelsFor } from "../../../src/engine/provision/wheels.ts";

const platforms = Object.keys(wheels);

t.test("every pinned wheel names one file of one version, with a whole hash", async (t) => {
  for (const platform of platforms) {
    for (const { project, version, python, platformTag, file, sha256 } of wheelsFor("cpu", platform)) {
      const tag = `cp${python.replace(".", "")}`;
      t.equal(file, `${project.replace("-", "_")}-${version}-${tag}-${tag}-${platformTag}.whl`);
      t.match(sha256, /^[0-9a-f]{64}$/);
    }
  }
  t.ok(platforms.length > 0);
  const hashes = platforms.flatMap((platform) => wheelsFor("cpu", platform)).map(({ sha256 }) => sha256);
  t.equal(new Set(hashes).size, hashes.length);
});

t.test("the wanted device's wheel comes first; elsewhere there is none", async (t) => {
  t.strictSame(
    wheelsFor("gpu", "linux-x64").map(({ device }) => device),
    ["gpu", "cpu"],
  );
  t.strictSame(
    wheelsFor("cpu", "linux-x64").map(({ device }) => device),
    ["cpu", "gpu"],
  );
  t.strictSame(wheelsFor("cpu", "plan9-mips"), []);
});
