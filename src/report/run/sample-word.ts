import type { RunRecord } from "../../runs/record.ts";

/** What a run was trained and tested on, in prose. */
export function sampleWords({ config, data }: Pick<RunRecord, "config" | "data">): "images" | "texts" | "samples" {
  if (config.data.name === "text") return "texts";
  return data.imageShape.length === 3 ? "images" : "samples";
}
