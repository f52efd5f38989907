import type { RunRecord } from "./record.ts";

/** What a run's data are of, in a sentence: a text has one axis, its tokens. */
export const samplesOf = ({
  imageShape,
  values,
}: Pick<RunRecord["data"], "imageShape" | "values">): "images" | "texts" | "samples" =>
  values ? "samples" : imageShape.length === 1 ? "texts" : "images";
