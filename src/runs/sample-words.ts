import type { RunRecord } from "./record.ts";

/** What a run's data are of, in a sentence: a text has one axis, its tokens. */
export const samplesOf = ({ imageShape }: Pick<RunRecord["data"], "imageShape">): "images" | "texts" =>
  imageShape.length === 1 ? "texts" : "images";
