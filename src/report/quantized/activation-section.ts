import type { QuantizedRecord } from "../../ptq/quantized-record.ts";
import { integer, significant } from "../page/format.ts";
import { foreign } from "../page/markup.ts";
import { later, type Section } from "../page/section.ts";
import { table } from "../page/table.ts";
import { bitsChip } from "./bits-chip.ts";

type Activation = QuantizedRecord["activations"][number];

/** The grids of activations. */
export const activationSection = ({ activations, settings }: QuantizedRecord): Section => ({
  id: "activations",
  title: "Activations",
  body:
    activations.length === 0
      ? later(
          settings.bits.activations === 32
            ? "Activations stay in float."
            : "No activation was put on a grid: see the notes, and what is left in float.",
        )
      : table<Activation>({
          id: "activation-table",
          caption: "Grids of activations: value = step · (code − zero point)",
          columns: [
            { title: "Value", value: ({ name }) => name, show: ({ name }) => foreign(name) },
            { title: "Bits", kind: "picture", value: ({ bits }) => bits, show: ({ bits }) => bitsChip(bits) },
            {
              title: "Step",
              kind: "number",
              value: ({ step }) => step,
              show: ({ step }) => significant(step, 4),
            },
            { title: "Zero point", kind: "number", value: ({ zero }) => zero, show: ({ zero }) => integer(zero) },
            end("From", () => 0),
            end("To", ({ bits }) => 2 ** bits - 1),
          ],
          rows: activations,
        }),
});

/** One end of a grid. */
const end = (title: string, codeOf: (activation: Activation) => number) => {
  const value = (activation: Activation) => activation.step * (codeOf(activation) - activation.zero) + 0;
  return { title, kind: "number" as const, value, show: (activation: Activation) => significant(value(activation), 4) };
};
