import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

const sources = resolve("src");

/** Where a compiled module says that it is: a module of `src` in the build, which `npm test` has made anew. */
const placeOf = (path: string): string => {
  const inSources = relative(sources, path);
  return inSources.startsWith("..") ? path : resolve("dist", inSources.replace(/\.ts$/, ".js"));
};

/** Modules find their neighbours (fixtures, workers, package.json) by `import.meta`, which is of the compiled file. */
const places: Plugin = {
  name: "places",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      if (path.includes("node_modules")) return;
      const place = placeOf(path);
      const contents = readFileSync(path, "utf8")
        .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(place).href))
        .replaceAll("import.meta.dirname", JSON.stringify(dirname(place)));
      return { contents, loader: "ts" };
    });
  },
};

/** Packages of so many files that reading them takes longer than all else that a short test does. */
const ofManyFiles: readonly string[] = [
  "tap",
  "fast-check",
  "zod",
  "@bufbuild/protobuf",
  "@bufbuild/protobuf/codegenv2",
];
/** tap leaves its own lines out where it tells where an assertion stands, and knows them by this folder. */
const packageFolder = "node_modules/@tapjs";

/** Those are files of their own (`compilePackages`), and no other package is taken in. */
const packages = (outdir: string): Plugin => ({
  name: "packages",
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
      if (kind === "entry-point") return undefined;
      const file = resolve(outdir, packageFolder, `${path}.js`);
      return { path: ofManyFiles.includes(path) ? pathToFileURL(file).href : path, external: true };
    });
  },
});

/** They have no source maps: a process would read all of tap's for the first assertion, which asks where it stands. */
const compilePackages = (outdir: string) =>
  build({
    ...{
      entryPoints: Object.fromEntries(ofManyFiles.map((name) => [name, name])),
      outdir: join(outdir, packageFolder),
    },
    ...{ bundle: true, splitting: true, platform: "node", format: "esm", target: "node20", logLevel: "warning" },
    // tap is CommonJS in part, and requires Node's own modules.
    banner: {
      js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
    },
  });

/**
 * Compiles test files with all that they import, what they share once: a process that runs one loads a few files of
 * JavaScript, and translates nothing. Below `outdir` each is where its source is in the repository.
 */
export async function compileTests(files: readonly string[], outdir: string): Promise<void> {
  await compilePackages(outdir);
  await build({
    ...{ entryPoints: [...files], outbase: ".", outdir },
    ...{ bundle: true, splitting: true, platform: "node", format: "esm", target: "node20" },
    ...{ sourcemap: true, sourcesContent: false, logLevel: "warning", plugins: [places, packages(outdir)] },
  });
}
