import type { RunRecord, RunResult } from "../../../runs/record.ts";
import { barFigure } from "../../charts/bar-figure.ts";
import { bitChip, keptBar } from "../../page/chips.ts";
import { bytes, integer, percent, share, significant } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { later, type Section } from "../../page/section.ts";
import { stagesOf } from "../../page/stages.ts";
import { type Column, table } from "../../page/table.ts";
import { learnsGates } from "../learns-gates.ts";
import { layerRow } from "../run-state.ts";
import { differ } from "./headline-section.ts";

/** Where the bit operations, the bytes and the channels of the network are. */
export function bitOperationSection(record: RunRecord): Section {
  const { result } = record;
  return {
    id: "layers",
    title: "Layers and bit operations",
    body: result
      ? markup`<div class="figures">${costFigures(record, result)}</div>${layerTable(record, result)}${formula(record, result)}`
      : markup`${later("The bit operations of each layer are counted when the run ends.")}${formula(record, null)}`,
  };
}

/** More layers than this make bars too many to read: the table says it. */
const chartedLayers = 24;

function costFigures(record: RunRecord, { layers, bytes: size }: RunResult): readonly Markup[] {
  if (layers.length > chartedLayers) return [];
  const { network } = record;
  const own = learnsGates(record) ? "learned network" : "this network";
  const known = new Map(network.layers.map((layer) => [layer.name, layer]));
  const categories = layers.map(({ name }) => name);
  const float = layers.map(({ name }) => 4 * (known.get(name)?.parameters ?? 0));
  return [
    barFigure({
      id: "bops-share",
      title: "Share of the bit operations, %",
      unit: "\u202f%",
      category: "layer",
      categories,
      series: [
        { name: own, values: layers.map((layer) => layer.share) },
        {
          name: "32-bit network",
          values: layers.map(({ name }) => share(known.get(name)?.macs ?? 0, network.macs)),
        },
      ],
    }),
    barFigure({
      id: "bytes-share",
      title: "Share of the bytes, %",
      unit: "\u202f%",
      category: "layer",
      categories,
      series: [
        {
          name: `${own}, ${bytes(size.packed)}`,
          values: layers.map((layer) => share(layer.bytes, size.packed)),
        },
        { name: `32-bit network, ${bytes(size.fp32)}`, values: float.map((value) => share(value, size.fp32)) },
      ],
    }),
  ];
}

function formula(record: RunRecord, result: RunResult | null): Markup {
  return markup`<div class="formula"><h3>How bit operations are counted</h3>
<p class="equation">BOPs(layer) = MACs · weight bits · input activation bits · kept share of outputs · kept share of inputs</p>
<p>Bit operations are not latency: a runtime gains only where it has kernels for the bit-widths. MACs are those of the unpruned layer, for one image. The kept inputs are what is left of the layers that feed it. The network’s input counts as ${record.quantizers.length > 0 ? "8 bits" : "32 bits, as nothing is quantized"}.</p>
<p class="equation">relative BOPs = sum over the layers ÷ (32\u202f·\u202f32\u202f·\u202f${integer(record.network.macs)} MACs)</p>
${result && worked(record, result)}</div>`;
}

/** The formula with the figures of the layer that costs most, and the sum beside the authors'. */
function worked({ network }: RunRecord, result: RunResult): Markup | null {
  const [first, ...others] = result.layers;
  if (first === undefined) return null;
  const dearest = others.reduce((most, one) => (one.bops > most.bops ? one : most), first);
  const { name, weightBits, inputBits, keptOutputs, outputs, keptInputs, inputs, bops } = dearest;
  const macs = network.layers.find((layer) => layer.name === name)?.macs ?? 0;
  const { relativeBops, relativeBopsAuthors } = result;
  return markup`<p>Here, ${foreign(name, 40)}: ${integer(macs)} · ${weightBits} · ${inputBits} · ${integer(keptOutputs)}/${integer(outputs)} · ${integer(keptInputs)}/${integer(inputs)} = ${integer(bops)}.</p>
<p>The authors’ formula counts pruned inputs on straight chains only. ${
    differ(relativeBops, relativeBopsAuthors)
      ? `It gives ${significant(relativeBopsAuthors, 4)}\u202f% where ours gives ${significant(relativeBops, 4)}\u202f%.`
      : `For this network both give ${significant(relativeBops, 4)}\u202f%.`
  }</p>`;
}

/** By the authors' formula, where it was counted. */
const byAuthors = ({ bops, bopsAuthors }: RunResult["layers"][number]): number => bopsAuthors ?? bops;

/** What each layer costs. */
export function layerTable({ network }: RunRecord, { layers, bytes: size, parameters }: RunResult): Markup {
  const known = new Map(network.layers.map((layer) => [layer.name, layer]));
  const stages = stagesOf(layers.map(({ name }) => name));
  const total = layers.reduce((sum, { bops }) => sum + bops, 0);
  const authors: Column<RunResult["layers"][number]>[] = layers.some((row) => differ(row.bops, byAuthors(row)))
    ? [
        {
          title: "BOPs, authors’ formula",
          kind: "number",
          value: byAuthors,
          show: (row) => integer(byAuthors(row)),
        },
      ]
    : [];
  return table<RunResult["layers"][number]>({
    id: "layer-table",
    caption: "What each layer costs",
    columns: [
      { title: "Layer", value: ({ name }) => name, show: ({ name }) => foreign(name, 40) },
      { title: "Weight shape", value: ({ name }) => known.get(name)?.weightShape.join("×") ?? null },
      {
        title: "MACs",
        kind: "number",
        value: ({ name }) => known.get(name)?.macs ?? null,
        show: ({ name }) => integer(known.get(name)?.macs ?? 0),
      },
      { title: "Weight bits", kind: "picture", value: (row) => row.weightBits, show: (row) => bitChip(row.weightBits) },
      { title: "Input bits", kind: "picture", value: (row) => row.inputBits, show: (row) => bitChip(row.inputBits) },
      {
        title: "Outputs kept",
        kind: "number",
        value: (row) => row.keptOutputs,
        show: (row) =>
          markup`${integer(row.keptOutputs)} of ${integer(row.outputs)} ${keptBar(row.keptOutputs, row.outputs)}`,
      },
      {
        title: "Inputs kept",
        kind: "number",
        value: (row) => row.keptInputs,
        show: (row) => `${integer(row.keptInputs)} of ${integer(row.inputs)}`,
      },
      { title: "BOPs", kind: "number", value: (row) => row.bops, show: (row) => integer(row.bops) },
      ...authors,
      { title: "Share", kind: "number", value: (row) => row.share, show: (row) => percent(row.share, 1) },
      { title: "Parameters", kind: "number", value: (row) => row.parameters, show: (row) => integer(row.parameters) },
      { title: "Size", kind: "number", value: (row) => row.bytes, show: (row) => bytes(row.bytes) },
    ],
    rows: layers,
    hidesUniform: true,
    rowId: ({ name }) => layerRow([...known.keys()].indexOf(name)),
    group: {
      of: ({ name }) => stages.get(name) ?? null,
      cells: (stage, rows) => {
        const sum = (of: (row: RunResult["layers"][number]) => number) =>
          rows.reduce((total, row) => total + of(row), 0);
        return [
          markup`${foreign(stage, 40)}, ${rows.length} layers`,
          "",
          integer(sum(({ name }) => known.get(name)?.macs ?? 0)),
          ...["", "", "", ""],
          integer(sum(({ bops }) => bops)),
          ...authors.map(() => integer(sum(byAuthors))),
          percent(
            sum(({ share }) => share),
            1,
          ),
          integer(sum(({ parameters }) => parameters)),
          bytes(sum((row) => row.bytes)),
        ];
      },
    },
    total: [
      "Network",
      "",
      integer(network.macs),
      "",
      "",
      "",
      "",
      integer(total),
      ...authors.map(() => integer(layers.reduce((sum, row) => sum + byAuthors(row), 0))),
      percent(100, 1),
      integer(parameters.kept),
      bytes(size.packed),
    ],
  });
}
