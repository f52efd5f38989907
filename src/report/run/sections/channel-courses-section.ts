import type { RunRecord } from "../../../runs/record.ts";
import { courseFigures } from "../../charts/courses.ts";
import { share } from "../../page/format.ts";
import type { Markup } from "../../page/markup.ts";

/** The share of the channels whose gate is open, over the epochs. */
export function channelCourses({ quantizers, epochs }: RunRecord): readonly Markup[] {
  const pruned = quantizers.filter(({ channels }) => channels !== null);
  return courseFigures({
    id: "channels",
    title: "Channels with an open gate, %",
    unit: "\u202f%",
    epochs,
    courses: pruned.map(({ id, layer, channels }) => ({
      name: layer,
      values: epochs.map(({ quantizers }) => {
        const kept = quantizers[id]?.kept ?? null;
        return kept === null || channels === null ? null : share(kept, channels);
      }),
    })),
  });
}
