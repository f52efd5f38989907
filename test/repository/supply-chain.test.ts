import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import t from "tap";

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
}

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
  readonly packages: Readonly<Record<string, Locked>>;
};
const { "": root, ...locked } = packages;

t.test("every package is locked to its bytes", async (t) => {
  t.ok(root && Object.keys(locked).length > 100);
  const unlocked = Object.entries(locked).filter(([, { integrity }]) => !integrity?.startsWith("sha512-"));
  t.strictSame(
    unlocked.map(([path]) => path),
    [],
  );
});

t.test("no package runs scripts of its own at installation", async (t) => {
  t.match(readFileSync(".npmrc", "utf8"), /^ignore-scripts=true$/m);
});

t.test("dependencies have exact versions", async (t) => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
    t.match(version, /^\d+\.\d+\.\d+$/, name);
  }
});

t.test(
  "the package holds the program with what it compiles or has run, its configurations and its papers, and nothing else",
  async (t) => {
    const [{ files }] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json"], { encoding: "utf8" })) as [
      { readonly files: readonly { readonly path: string }[] },
    ];
    const odd = files.filter(
      ({ path }) =>
        !/^(dist|configs|docs)\/|^[A-Z]+(\.md)?$|^package\.json$|^src\/engine\/native\/[a-z-]+\.(cc|h)$|^src\/export\/tflite\/litert\.py$/.test(
          path,
        ),
    );
    t.strictSame(
      odd.map(({ path }) => path),
      [],
    );
  },
);
