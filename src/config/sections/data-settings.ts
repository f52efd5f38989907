import { z } from "zod";
import { checkFolder, imageFolder } from "./data/folder-settings.ts";
import { dataName, folderPath, imageSettings } from "./data/image-settings.ts";
import { checkText, text } from "./data/text-settings.ts";

const mnist = z.strictObject({
  name: dataName("mnist"),
  folder: folderPath
    .optional()
    .describe("folder with the four IDX files; without it they are fetched once into the cache"),
  ...imageSettings,
});

const fashionMnist = z.strictObject({
  name: dataName("fashion-mnist"),
  folder: folderPath.optional().describe("folder with the four IDX files; without it, Debian's dataset-fashion-mnist"),
  ...imageSettings,
});

const cifar10 = z.strictObject({
  name: dataName("cifar10"),
  folder: folderPath.optional().describe("folder with the binary form; without it, it is fetched once into the cache"),
  ...imageSettings,
});

const cifar100 = z.strictObject({
  name: dataName("cifar100"),
  folder: folderPath.describe("folder with the binary form (train.bin, test.bin)"),
  ...imageSettings,
});

const npz = z.strictObject({
  name: dataName("npz"),
  train: z
    .string()
    .min(1)
    .describe(
      "NumPy file with training images (uint8, channels last), or numbers of tokens (int32 or int64), and labels",
    ),
  test: z.string().min(1).describe("the same of the test images; may be the same file"),
  classes: z.array(z.string().min(1)).min(2).optional().describe("names of the classes; without it, their numbers"),
  ...imageSettings,
});

const images = [mnist, fashionMnist, cifar10, cifar100, imageFolder, npz] as const;
const described = "where the images come from and how they are batched";

/** Data of images alone. */
export const imageData = z.discriminatedUnion("name", images).superRefine(checkImages).describe(described);

export const data = z
  .discriminatedUnion("name", [mnist, fashionMnist, cifar10, cifar100, imageFolder, text, npz])
  .superRefine((settings, context) => {
    if (settings.name === "text") checkText(settings, context);
    else checkImages(settings, context);
  })
  .describe(described);

function checkImages(settings: z.output<(typeof images)[number]>, context: z.RefinementCtx): void {
  const { normalization: given } = settings;
  if (typeof given === "object" && given.mean.length !== given.deviation.length) {
    const message = "expected as many deviations as means";
    context.addIssue({ code: "custom", path: ["normalization", "deviation"], message, input: given.deviation });
  }
  if (settings.name === "folder") checkFolder(settings, context);
}

export type DataConfig = z.output<typeof data>;
export type DataSettings = z.input<typeof data>;
/** Of images. */
export type ImageDataSettings = z.input<typeof imageData>;
/** Of images. */
export type ImageDataConfig = z.output<typeof imageData>;
export type TextConfig = z.output<typeof text>;
export type FolderConfig = z.output<typeof imageFolder>;
