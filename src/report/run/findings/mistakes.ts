import type { RunRecord } from "../../../runs/record.ts";
import { samplesOf } from "../../../runs/sample-words.ts";
import type { ComparedWithFloat, WorstImage } from "../../../tasks/classification/class-findings.ts";
import { integer, percent } from "../../page/format.ts";
import { foreign, type Markup, markup, shorten } from "../../page/markup.ts";
import { nameOf } from "./class-name.ts";

/** The images that cost most trust: sure and wrong. Of some samples, and in some records, there are no pictures. */
export function worstMarkup(
  worst: readonly WorstImage[],
  { classes, confusion }: { readonly classes: readonly string[]; readonly confusion: readonly (readonly number[])[] },
): Markup | null {
  if (worst.length === 0) {
    const isAllRight = confusion.every((row, truth) => row.every((count, found) => found === truth || count === 0));
    return isAllRight ? markup`<h3>Worst mistakes</h3><p>Nothing of the test set was classified wrongly.</p>` : null;
  }
  return markup`<h3>Worst mistakes</h3>
<p>The test images that the network got wrong with the highest confidence.</p>
${gallery(worst, classes, ({ confidence }) => [`${percent(100 * confidence, 1)} sure`])}`;
}

/** What quantizing cost, image by image. */
export function lostMarkup(record: RunRecord, compared: ComparedWithFloat, classes: readonly string[]): Markup {
  const { bothRight, lost, gained, bothWrong, images } = compared;
  return markup`<h3 id="lost-images">What float32 gets right and this network wrong</h3>
<p>In float32, ${floatNetwork(record)}, the network gets ${integer(bothRight + lost)} test ${samplesOf(record.data)} right: of these it now gets ${lost === 0 ? "none" : integer(lost)} wrong${images.length > 0 && lost > images.length && `; below are the ${integer(images.length)} of which it is surest`}. Of the ${integer(gained + bothWrong)} that it got wrong, it now gets ${gained === 0 ? "none" : integer(gained)} right.</p>
${
  images.length > 0 &&
  gallery(images, classes, ({ truth, confidence, floatConfidence }) => [
    markup`float32: ${foreign(nameOf(classes, truth), 16)}, ${percent(100 * floatConfidence, 1)} sure`,
    `now ${percent(100 * confidence, 1)} sure`,
  ])
}`;
}

/** Which network in float32 it was. */
const floatNetwork = ({ postTraining, config }: RunRecord): string =>
  postTraining ? "before it was quantized" : config.training.pretrain ? "after pretraining" : "as training began";

function gallery<Image extends WorstImage>(
  images: readonly Image[],
  classes: readonly string[],
  sure: (image: Image) => readonly (Markup | string)[],
): Markup {
  const name = (index: number) => nameOf(classes, index);
  return markup`<ul class="gallery">${images.map((image) => {
    const { png, width, height, index, truth, predicted, confidence, truthProbability } = image;
    const alt = `Test image ${index}: ${shorten(name(truth), 40)}, taken for ${shorten(name(predicted), 40)}`;
    const title = `truth ${percent(100 * truthProbability)}, taken for ${percent(100 * confidence)}`;
    return markup`<li><img src="data:image/png;base64,${png}" width="${width}" height="${height}" alt="${alt}" title="${title}">
<span class="classes">${foreign(name(truth), 16)} → <strong>${foreign(name(predicted), 16)}</strong></span>
${sure(image).map((line) => markup`<span class="sure">${line}</span>\n`)}<span class="sure">image ${integer(index)}</span></li>\n`;
  })}</ul>`;
}
