import { shortenNames } from "../../core/shorten.ts";
import type { QuantizedRecord } from "../../ptq/quantized-record.ts";
import { parseWidths } from "../../quantization/weight-widths.ts";
import { channelBitsTable } from "../charts/channel-bits-table.ts";
import { bytes, fixed, significant } from "../page/format.ts";
import { foreign, type Markup, markup } from "../page/markup.ts";
import type { Section } from "../page/section.ts";
import { table } from "../page/table.ts";
import { bitsChip } from "./bits-chip.ts";

type Layer = QuantizedRecord["layers"][number];

/** What became of every layer. */
export function layerSection(record: QuantizedRecord): Section {
  const { layers, comparison, kernels } = record;
  const mixed = layers.some(({ channelBits }) => channelBits !== undefined);
  return {
    id: "layers",
    title: "Layers",
    body: markup`${comparison !== null && explanation}${table<Layer>({
      id: "layer-table",
      caption: "Quantized layers, in the file’s order",
      columns: [
        { title: "Layer", value: ({ name }) => name, show: ({ name }) => foreign(name) },
        { title: "Operator", value: ({ operator }) => operator, show: ({ operator }) => foreign(operator, 40) },
        { title: "Weight shape", value: ({ shape }) => shape.join("×") },
        { title: "Bits", kind: "picture", value: ({ bits }) => bits, show: widthOf },
        {
          title: "A step for each",
          value: ({ granularity }) => stepText(granularity),
        },
        { title: "Method", value: ({ method }) => method },
        { title: "Computes in", value: ({ integer }) => (integer ? "integers" : "float") },
        {
          title: "Bytes",
          kind: "number",
          value: (layer) => layer.bytes,
          show: (layer) => (layer.bytes === null ? "–" : bytes(layer.bytes)),
        },
        ...(comparison === null
          ? []
          : [
              {
                title: "Signal-to-noise, dB",
                kind: "number" as const,
                value: ({ sqnrDb }: Layer) => sqnrDb,
                show: noiseOf,
              },
            ]),
      ],
      rows: layers,
    })}
${channelBitsTable(mixedLayers(record))}
<p class="note">Bytes are those of the packed codes${mixed && ", and of the order of rows that have widths of their own, whose bits are the mean"}; layers that share a weight share its bytes.${layers.some(({ bits }) => bits === 3) && " Codes of 3 bits take 4."}</p>
${kernels.float.length > 0 && markup`<p class="note">onnxruntime runs in float: ${foreign(shortenNames(kernels.float), 800)}.</p>`}`,
  };
}

const explanation: Markup = markup`<p>The signal-to-noise ratio is that of what a layer hands on (its output, behind a batch normalization that has become a part of it and behind the ReLU or Clip that alone reads it, on its grid where it has one), with all layers before it quantized too, against the file that went in.</p>`;

/** The mean of output channels of several widths is a number: it is no width. */
const widthOf = ({ bits, channelBits }: Layer): Markup | string =>
  channelBits === undefined ? bitsChip(bits) : significant(bits);

/** Layers that share a weight share its widths. */
const mixedLayers = ({ layers }: QuantizedRecord) =>
  layers.flatMap(({ name, channelBits }) => {
    const widths = channelBits === undefined ? 8 : parseWidths(channelBits);
    return typeof widths === "number" ? [] : [{ name, bits: widths }];
  });

const noiseOf = ({ sqnrDb, same }: Layer): string => (sqnrDb === null ? (same ? "exact" : "–") : fixed(sqnrDb, 1));

const stepText = (granularity: Layer["granularity"]): string =>
  typeof granularity === "number" ? `${granularity} inputs` : granularity === "tensor" ? "weight" : granularity;
