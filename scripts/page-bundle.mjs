// Bundles the report's style sheet and its two scripts, minified, and writes them as JSON to the file that is named, or
// to standard output: `npm run build` keeps them beside the renderer; a renderer that runs from sources asks for them.
import { writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const browser = join(dirname(fileURLToPath(import.meta.url)), "..", "src", "report", "browser");

const { outputFiles } = buildSync({
  entryPoints: ["styles/page.css", "page.ts", "live-page.ts"].map((file) => join(browser, file)),
  outdir: browser,
  entryNames: "[name]",
  write: false,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  logLevel: "error",
});
const files = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
const bundle = JSON.stringify({
  styles: files.get("page.css"),
  script: files.get("page.js"),
  liveScript: files.get("live-page.js"),
});

const [out] = process.argv.slice(2);
if (out === undefined) process.stdout.write(bundle);
else writeFileSync(out, bundle);
