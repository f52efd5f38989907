import type { QuantizedRecord } from "../../ptq/quantized-record.ts";
import { foreign } from "../page/markup.ts";
import type { Section } from "../page/section.ts";
import { table } from "../page/table.ts";

/** Layers that stayed in float, and why; null where there are none. */
export function leftSection({ left }: QuantizedRecord): Section | null {
  if (left.length === 0) return null;
  return {
    id: "left",
    title: "Left in float",
    body: table<QuantizedRecord["left"][number]>({
      id: "left-table",
      caption: "Layers that stayed as they were",
      columns: [
        { title: "Layer", value: ({ name }) => name, show: ({ name }) => foreign(name) },
        { title: "Operator", value: ({ operator }) => operator, show: ({ operator }) => foreign(operator, 40) },
        { title: "Why", value: ({ reason }) => reason, show: ({ reason }) => foreign(reason, 200) },
      ],
      rows: left,
    }),
  };
}
