import type { ImageDataSettings } from "../config/sections/data-settings.ts";
import type { ImageDataset, Normalization } from "../data/dataset.ts";
import { measure } from "../data/normalization.ts";
import { evaluateFile } from "../export/evaluate-file.ts";
import { gainOf, type Metric, type Metrics, mainMetric, mainValue, type TaskDescription } from "../tasks/metric.ts";
import type { Task } from "../tasks/task.ts";
import { firstOf } from "./measure-training.ts";

/** Training images that a file is tried on. */
const TRIED = 512;
/** Standard errors that are no chance. */
const CLEARLY = 3;
/** Part of the way from chance to all that useful weights have behind them: random ones may look at something, too. */
const USEFUL = 0.25;

/** As a configuration has it, and a data set too. */
type Way = Exclude<ImageDataSettings["normalization"], "measured" | undefined>;

/** How a trained file wants its images, as far as its answers tell. */
export interface ChosenNormalization {
  /** Undefined: what is usual for the data. */
  readonly setting: ImageDataSettings["normalization"];
  /** As `less 0.5, over 0.5`. */
  readonly label: string;
  readonly metrics: Metrics;
  /** What they are. */
  readonly description: TaskDescription;
  readonly images: number;
  /** Whether the file does better than a network that looks at no image. */
  readonly isTrained: boolean;
}

/**
 * Runs a network's file on training images, normalised in each of the usual ways, and takes the way in which it answers
 * best: nobody needs to remember how it was trained.
 */
export async function chooseNormalization(
  file: string,
  dataset: ImageDataset,
  task: Task,
): Promise<ChosenNormalization> {
  const channels = dataset.imageShape[2];
  const same = (mean: number, deviation: number): Way => ({
    mean: Array<number>(channels).fill(mean),
    deviation: Array<number>(channels).fill(deviation),
  });
  const measured = await measure(dataset.train, channels, TRIED);
  const ways: readonly { readonly setting: ImageDataSettings["normalization"]; readonly as: Normalization }[] = [
    { setting: undefined, as: dataset.normalization },
    ...[same(0, 1), same(0.5, 0.5), ...photographs(channels)].map((way) => ({ setting: way, as: way })),
    { setting: "measured", as: measured },
  ];
  const { description } = task;
  const tried: ChosenNormalization[] = [];
  for (const { setting, as } of ways) {
    const test = firstOf(dataset.train, TRIED);
    const { metrics, images } = await evaluateFile(file, { ...dataset, normalization: as, test }, task);
    const isTrained = isAboveChance(description.metrics, metrics, images);
    tried.push({ setting, label: labelOf(as), metrics, description, images, isTrained });
  }
  const main = mainMetric(description);
  const gain = ({ metrics }: ChosenNormalization) => gainOf(main, mainValue(description, metrics));
  // The first of equals: what is usual for the data stands there.
  return tried.reduce((best, one) => (gain(one) > gain(best) ? one : best));
}

/** ImageNet's, which most trained networks of coloured images have seen. */
const photographs = (channels: number): readonly Way[] =>
  channels === 3
    ? [{ mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] }]
    : [{ mean: [0.1307], deviation: [0.3081] }];

const labelOf = ({ mean, deviation }: Normalization): string => {
  const list = (values: readonly number[]) =>
    [...new Set(values)].map((value) => Number(value.toPrecision(3))).join(", ");
  return `less ${list(mean)}, over ${list(deviation)}`;
};

/** Whether a figure with a known chance level lies clearly above it; where none has, nobody can tell: it is taken for so. */
function isAboveChance(all: readonly Metric[], values: Metrics, images: number): boolean {
  const judged = all.find(({ key, chance }) => chance !== null && values[key] !== undefined);
  const value = judged && values[judged.key];
  if (judged === undefined || value === undefined || judged.chance === null) return true;
  const share = judged.chance / 100;
  const margin = judged.isShare
    ? 100 * Math.max(CLEARLY * Math.sqrt((share * (1 - share)) / images), USEFUL * (1 - share))
    : USEFUL;
  return gainOf(judged, value) > gainOf(judged, judged.chance) + margin;
}
