import { z } from "zod";
import { count, positive } from "../numbers.ts";
import { changes, dataName, describeAugmentation, folderPath, imageSettings } from "./image-settings.ts";

const range = (low: number, high: number) => z.tuple([positive, positive]).default([low, high]);
const randomResizedCrop = z
  .strictObject({
    scale: range(0.08, 1).describe("smallest and largest share of the image's area, at most 1"),
    ratio: range(3 / 4, 4 / 3).describe("smallest and largest ratio of width to height"),
  })
  .optional()
  .describe("a random part of the image, resized, as is usual for ImageNet");

const gray = z.int().min(0).max(255);

const masks = z
  .strictObject({
    folder: folderPath.describe(
      "folder of the masks: PNGs, gray or with a palette, each where its image is below data.folder",
    ),
    classes: z.array(z.string().min(1)).min(2).max(255).describe("names of the classes"),
    values: z.array(gray).optional().describe("what each class is in the masks; without it, 0, 1, 2 and so on"),
    ignore: gray
      .optional()
      .describe("what pixels are in the masks that do not count; without it 255, where no class is that"),
  })
  .optional()
  .describe("where the class of each pixel is said, for task.name segmentation");

const labels = z
  .strictObject({
    file: z.string().min(1).describe(".csv file with a line for each image, below a line of the columns' names"),
    image: z
      .string()
      .min(1)
      .optional()
      .describe("the column with the images' paths below data.folder; without it, the first"),
    columns: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe("the columns with what is learned; without it, all others"),
  })
  .optional()
  .describe("where values, labels or the class of each image are said, in place of class folders");

/** Images in a folder, each a file. */
export const imageFolder = z.strictObject({
  name: dataName("folder"),
  folder: folderPath.describe(
    "folder with train and val or test, each with one folder per class, or with class folders",
  ),
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
  masks,
  labels,
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
  ...imageSettings,
  augmentation: z
    .strictObject({ randomResizedCrop, ...changes })
    .optional()
    .describe(describeAugmentation),
});

/** What must hold between its settings. */
export function checkFolder(
  { augmentation, resize, size, masks, labels }: z.output<typeof imageFolder>,
  context: z.RefinementCtx,
): void {
  const refuse = (path: string[], message: string, input: unknown) =>
    context.addIssue({ code: "custom", path, message, input });
  if (masks !== undefined) checkMasks(masks, refuse);
  if (masks !== undefined && labels !== undefined) refuse(["labels"], "expected nothing beside data.masks", labels);
  const { randomResizedCrop: crop } = augmentation ?? {};
  for (const key of ["scale", "ratio"] as const) {
    if (crop === undefined || crop[key][0] <= crop[key][1]) continue;
    refuse(["augmentation", "randomResizedCrop", key], "expected the smaller number first", crop[key]);
  }
  if (crop !== undefined && crop.scale[1] > 1)
    refuse(["augmentation", "randomResizedCrop", "scale"], "expected shares of at most 1", crop.scale);
  if (resize.fit === "crop" && resize.shorterSide !== undefined) {
    const smallest = Math.max(...[size].flat());
    if (resize.shorterSide < smallest)
      refuse(["resize", "shorterSide"], `expected at least size, ${smallest}`, resize.shorterSide);
  }
}

function checkMasks(
  { classes, values, ignore }: NonNullable<z.output<typeof masks>>,
  refuse: (path: string[], message: string, input: unknown) => void,
): void {
  // A pair is as often black and white as it is numbered, with a border of 255.
  if (classes.length === 2 && values === undefined && ignore === undefined)
    refuse(["masks", "values"], "expected what two classes are, [0, 255] or [0, 1], or masks.ignore: 255", values);
  if (values !== undefined && values.length !== classes.length)
    refuse(["masks", "values"], `expected one for each of the ${classes.length} classes`, values);
  if (values !== undefined && new Set(values).size < values.length)
    refuse(["masks", "values"], "expected another one for each class", values);
  if (ignore !== undefined && (values?.includes(ignore) ?? ignore < classes.length))
    refuse(["masks", "ignore"], "expected a value that no class has", ignore);
}
