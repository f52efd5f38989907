import { z } from "zod";
import { count, positive } from "./numbers.ts";

const share = z.number().min(0).max(0.5);

const normalization = z
  .union([
    z.literal("measured"),
    z.strictObject({
      mean: z.array(z.number().min(0).max(1)).min(1).describe("one per channel, pixels counted from 0 to 1"),
      deviation: z.array(positive).min(1).describe("one per channel"),
    }),
  ])
  .optional()
  .describe("pixels are scaled to [0, 1], less the mean, over the deviation; without it, what is usual for the data");

const changes = {
  crop: z
    .strictObject({ padding: z.int().min(1).max(128).describe("black pixels added on every side") })
    .optional()
    .describe("pad, then cut the image's own size out at a random place"),
  flip: z.boolean().default(false).describe("swap left and right in half of the cases"),
};

const range = (low: number, high: number) => z.tuple([positive, positive]).default([low, high]);
const randomResizedCrop = z
  .strictObject({
    scale: range(0.08, 1).describe("smallest and largest share of the image's area, at most 1"),
    ratio: range(3 / 4, 4 / 3).describe("smallest and largest ratio of width to height"),
  })
  .optional()
  .describe("a random part of the image, resized, as is usual for ImageNet");

const describeAugmentation = "how training images are changed, in every epoch anew";

/** What every data set's settings have. */
const batches = {
  validationShare: share.default(0).describe("share of the training images that is held out for choosing"),
  batchSize: count.default(128).describe("images per training step"),
  evaluationBatchSize: count.default(1000).describe("images per step of evaluation"),
  limit: z
    .strictObject({
      train: count.optional().describe("use only the first training images"),
      test: count.optional().describe("use only the first test images"),
    })
    .optional()
    .describe("a part of the data, for trying things out"),
};

/** What those of images have. */
const common = {
  normalization,
  augmentation: z.strictObject(changes).optional().describe(describeAugmentation),
  ...batches,
};

const name = <const T extends string>(value: T) => z.literal(value).describe("the data set");
const folder = z.string().min(1);

const mnist = z.strictObject({
  name: name("mnist"),
  folder: folder.optional().describe("folder with the four IDX files; without it they are fetched once into the cache"),
  ...common,
});

const fashionMnist = z.strictObject({
  name: name("fashion-mnist"),
  folder: folder.optional().describe("folder with the four IDX files; without it, Debian's dataset-fashion-mnist"),
  ...common,
});

const cifar10 = z.strictObject({
  name: name("cifar10"),
  folder: folder.optional().describe("folder with the binary form; without it, it is fetched once into the cache"),
  ...common,
});

const cifar100 = z.strictObject({
  name: name("cifar100"),
  folder: folder.describe("folder with the binary form (train.bin, test.bin)"),
  ...common,
});

const imageFolder = z.strictObject({
  name: name("folder"),
  folder: folder.describe("folder with train and val or test, each with one folder per class, or with class folders"),
  testShare: z
    .number()
    .gt(0)
    .max(0.5)
    .optional()
    .describe("share of each class that is set aside for tests, where there are class folders only"),
  size: z
    .union([count, z.tuple([count, count])])
    .default(224)
    .describe("what the network sees, in pixels: one number, or height and width"),
  channels: z
    .union([z.literal(1), z.literal(3)])
    .default(3)
    .describe("3: colour, 1: gray"),
  resize: z
    .discriminatedUnion("fit", [
      z.strictObject({
        fit: z.literal("crop").describe("scale the shorter side, cut out the middle"),
        shorterSide: count.optional().describe("pixels of the shorter side; without it 8/7 of size, as 256 for 224"),
      }),
      z.strictObject({ fit: z.literal("stretch").describe("scale width and height each to size") }),
    ])
    .default({ fit: "crop" })
    .describe("how an image becomes so large, where no random crop does it"),
  onError: z
    .enum(["fail", "skip"])
    .default("fail")
    .describe("at an image that cannot be read: stop, or leave it out with a warning"),
  workers: count.optional().describe("threads that read images; without it one per core, at most 4"),
  ...common,
  augmentation: z
    .strictObject({ randomResizedCrop, ...changes })
    .optional()
    .describe(describeAugmentation),
});

const npz = z.strictObject({
  name: name("npz"),
  train: z
    .string()
    .min(1)
    .describe(
      "NumPy file with training images (uint8, channels last), or numbers of tokens (int32 or int64), and labels",
    ),
  test: z.string().min(1).describe("the same of the test images; may be the same file"),
  classes: z.array(z.string().min(1)).min(2).optional().describe("names of the classes; without it, their numbers"),
  ...common,
});

const text = z.strictObject({
  name: name("text"),
  corpus: z
    .enum(["reuters-r8"])
    .optional()
    .describe("texts that are fetched once into the cache: news of eight classes, for research alone"),
  folder: folder
    .optional()
    .describe(
      "folder with train and test, each a folder with one folder of .txt files per class or a table (.csv, .tsv, .jsonl) of texts and their classes, or with one of these alone",
    ),
  testShare: z
    .number()
    .gt(0)
    .max(0.5)
    .optional()
    .describe("share of each class that is set aside for tests, where the folder has no part for them"),
  columns: z
    .strictObject({
      text: z.string().min(1).default("text").describe("of the texts"),
      label: z.string().min(1).default("label").describe("of their classes"),
    })
    .prefault({})
    .describe("names in a table's first line, or in its objects"),
  maxTokens: count.default(256).describe("tokens of a text that count: what follows is cut off"),
  vocabulary: z
    .strictObject({
      kind: z
        .enum(["words", "subwords"])
        .default("words")
        .describe("words, or parts of them that byte-pair encoding finds"),
      size: z
        .int()
        .min(4)
        .max(2 ** 20)
        .default(20000)
        .describe("tokens at most, padding and unknown among them"),
      minimum: count.default(2).describe("how often a word stands in the training texts at least"),
      lowercase: z.boolean().default(true).describe("whether texts are put in lower case"),
    })
    .prefault({})
    .describe("made of the texts that are trained on, the most frequent first"),
  ...batches,
});

export const data = z
  .discriminatedUnion("name", [mnist, fashionMnist, cifar10, cifar100, imageFolder, text, npz])
  .superRefine((settings, context) => {
    const refuse = (path: (string | number)[], message: string, input: unknown) =>
      context.addIssue({ code: "custom", path, message, input });
    if (settings.name === "text") {
      const { corpus, folder } = settings;
      if ((corpus === undefined) === (folder === undefined)) {
        refuse(["folder"], "expected either a folder or a corpus", folder);
      }
      return;
    }
    const { normalization: given } = settings;
    if (typeof given === "object" && given.mean.length !== given.deviation.length) {
      refuse(["normalization", "deviation"], "expected as many deviations as means", given.deviation);
    }
    if (settings.name !== "folder") return;
    const { randomResizedCrop: crop } = settings.augmentation ?? {};
    for (const key of ["scale", "ratio"] as const) {
      if (crop === undefined || crop[key][0] <= crop[key][1]) continue;
      refuse(["augmentation", "randomResizedCrop", key], "expected the smaller number first", crop[key]);
    }
    if (crop !== undefined && crop.scale[1] > 1) {
      refuse(["augmentation", "randomResizedCrop", "scale"], "expected shares of at most 1", crop.scale);
    }
    if (settings.resize.fit === "crop" && settings.resize.shorterSide !== undefined) {
      const smallest = Math.max(...[settings.size].flat());
      if (settings.resize.shorterSide >= smallest) return;
      refuse(["resize", "shorterSide"], `expected at least size, ${smallest}`, settings.resize.shorterSide);
    }
  })
  .describe("where the images come from and how they are batched");

export type DataConfig = z.output<typeof data>;
export type DataSettings = z.input<typeof data>;
/** Of images. */
export type ImageDataSettings = Exclude<DataSettings, { name: "text" }>;
export type TextConfig = Extract<DataConfig, { name: "text" }>;
/** Of images. */
export type ImageDataConfig = Exclude<DataConfig, TextConfig>;
export type FolderConfig = Extract<DataConfig, { name: "folder" }>;
