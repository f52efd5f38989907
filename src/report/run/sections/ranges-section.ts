import type { RunRecord } from "../../../runs/record.ts";
import { courseFigures } from "../../charts/courses.ts";
import { type Markup, markup } from "../../page/markup.ts";
import { later, type Section } from "../../page/section.ts";

type Quantizer = RunRecord["quantizers"][number];

/** The learned ranges by epoch. */
export function rangeSection(record: RunRecord): Section {
  return {
    id: "ranges",
    title: "Ranges over the epochs",
    body:
      record.epochs.length === 0
        ? later("No epoch is finished yet.")
        : markup`<p>The learned x<sub>max</sub> of each quantizer: what lies beyond it is clipped. Signed grids reach from −x<sub>max</sub> to x<sub>max</sub>, unsigned ones from 0.</p><div class="figures">${(["weight", "activation"] as const).flatMap((role) => coursesOf(record, role))}</div>`,
  };
}

function coursesOf({ quantizers, epochs }: RunRecord, role: Quantizer["role"]): readonly Markup[] {
  return courseFigures({
    id: `range-${role}`,
    title: `${role === "weight" ? "Weights" : "Activations"}: x_max`,
    unit: "",
    epochs,
    logarithmic: true,
    courses: quantizers
      .filter((quantizer) => quantizer.role === role)
      .map(({ id, layer }) => ({
        name: layer,
        values: epochs.map(({ quantizers: learned }) => learned[id]?.xMax ?? null),
      })),
  });
}
