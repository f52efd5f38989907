import type { LoadedData } from "../dataset.ts";
import { cifar100Layout } from "../formats/cifar-binary.ts";
import { type CifarFiles, readCifarFolder } from "../formats/cifar-folder.ts";

/** The 100 classes, in the order of their labels. */
const classes = `
  apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can
  castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin
  elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster
  man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck
  pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk
  skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger
  tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
`
  .trim()
  .split(/\s+/);

const published: CifarFiles = {
  layout: cifar100Layout,
  archiveFolder: "cifar-100-binary",
  train: ["train.bin"],
  test: ["test.bin"],
  imagesPerFile: { train: 50000, test: 10000 },
};

/**
 * CIFAR-100 (Krizhevsky, 2009) in its binary form from a folder.
 *
 * @throws UserError when files are missing or damaged.
 */
export function loadCifar100(folder: string): LoadedData {
  // Statistics of the 50,000 training images.
  const normalization = { mean: [0.5071, 0.4865, 0.4409], deviation: [0.2673, 0.2564, 0.2762] };
  return { ...readCifarFolder(folder, published), targets: { kind: "classes", names: classes }, normalization };
}
