import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
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

/** Of the packages tap alone is taken in: it consists of hundreds of files, which every test file would load. */
const packages: Plugin = {
  name: "packages",
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, importer, kind }) => {
      const isTap = path === "tap" || importer.includes("node_modules");
      return kind === "entry-point" || isTap ? undefined : { path, external: true };
    });
  },
};

/**
 * Compiles test files with all that they import, what they share once: a process that runs one loads a few files of
 * JavaScript, and translates nothing. Below `outdir` each is where its source is in the repository.
 */
export async function compileTests(files: readonly string[], outdir: string): Promise<void> {
  await build({
    ...{ entryPoints: [...files], outbase: ".", outdir },
    ...{ bundle: true, splitting: true, platform: "node", format: "esm", target: "node20" },
    ...{ sourcemap: true, sourcesContent: false, logLevel: "warning", plugins: [places, packages] },
    // tap is CommonJS in part, and requires Node's own modules.
    banner: {
      js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
    },
  });
}
