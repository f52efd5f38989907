import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
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
  "the package holds the program with what it compiles or has run, its configurations, papers and their pictures, and nothing else",
  async (t) => {
    const [{ files }] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json"], { encoding: "utf8" })) as [
      { readonly files: readonly { readonly path: string }[] },
    ];
    const odd = files.filter(
      ({ path }) =>
        !/^(dist|configs|docs)\/|^reports\/[\w-]+\.png$|^[A-Z]+(\.md)?$|^package\.json$|^src\/engine\/native\/[a-z-]+\.(cc|h)$|^src\/export\/tflite\/litert\.py$/.test(
          path,
        ),
    );
    t.strictSame(
      odd.map(({ path }) => path),
      [],
    );
  },
);

const scripts = readdirSync("scripts", { recursive: true, encoding: "utf8" }).map((name) => join("scripts", name));

t.test("Python packages are pinned to their bytes, with all that they need", async (t) => {
  const lists = scripts.filter((name) => name.endsWith(".txt"));
  t.ok(lists.length >= 3);
  for (const list of lists) {
    // As pip reads it: a comment is none, and \\ ends no line.
    const text = readFileSync(list, "utf8").replaceAll(/\\\n|#.*$/gm, "");
    const requirements = text.split("\n").filter((line) => line.trim() !== "");
    t.ok(requirements.length > 10, list);
    const pinned = /^[\w.-]+==[\w.]+\s(;[^;]*?\s)?(\s*--hash=sha256:[0-9a-f]{64})+\s*$/;
    t.strictSame(
      requirements.filter((line) => !pinned.test(line)),
      [],
      list,
    );
  }
  t.match(readFileSync("scripts/onnx-python/setup.mjs", "utf8"), '"--require-hashes"');
});

t.test("what the lists of pinned packages were made from is in them", async (t) => {
  for (const wanted of scripts.filter((name) => name.endsWith(".in"))) {
    const list = readFileSync(wanted.replace(/in$/, "txt"), "utf8");
    for (const [requirement] of readFileSync(wanted, "utf8").matchAll(/^[\w-]+==\S+$/gm))
      t.match(list, new RegExp(`^${requirement} `, "m"), `${wanted}: ${requirement}`);
  }
});

t.test("Python's onnxruntime, which collects telemetry too, is loaded with it switched off", async (t) => {
  const loads = /^ *(import|from) (onnxruntime|hls4ml|qonnx)\b/m;
  const users = scripts
    .filter((name) => name.endsWith(".py"))
    .map((name) => ({ name, text: readFileSync(name, "utf8") }))
    .filter(({ text }) => loads.test(text));
  t.ok(users.length >= 4);
  for (const { name, text } of users)
    t.match(text.slice(0, text.search(loads)), 'os.environ["ORT_DISABLE_TELEMETRY"] = "1"', name);
});
