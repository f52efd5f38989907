import { mean } from "../../../core/mean.ts";
import type { Sensitivity } from "../../../runs/analysis.ts";
import type { RunRecord, RunResult } from "../../../runs/record.ts";
import { keptBar } from "../../page/chips.ts";
import { bytes, integer, percent, significant } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { stagesOf } from "../../page/stages.ts";
import { type Column, type Further, table } from "../../page/table.ts";
import { meanOf, rangeText, type TensorBits, tensorChip } from "../../page/tensor-bits.ts";
import { bitsNow, isInCodebook, layerRow, learnedNow } from "../run-state.ts";
import { differ } from "./headline-section.ts";
import { type LayerRow, layerRows } from "./layer-table-rows.ts";

/** A row's figure once there is a result; null of what has none. */
type CostOf = (row: LayerRow) => number | null;

const isLayer = ({ state }: LayerRow): boolean => state !== null;

/** By the authors' formula, where it was counted. */
const byAuthors: CostOf = (row) => row.result?.bopsAuthors ?? bopsOf(row);

const bopsOf: CostOf = ({ result, product }) => result?.bops ?? product?.result?.bops ?? null;

/** Of layers and products; null of other tensors. */
const macsOf: CostOf = ({ state, product }) => state?.layer.macs ?? product?.product.macs ?? null;

const isCounted = (row: LayerRow): boolean => macsOf(row) !== null;

/** Every layer with the bits of what it reads, holds and gives, and once there is a result with what it costs. */
export function layerTable(record: RunRecord): Markup {
  const { network, result } = record;
  const rows = layerRows(record);
  const stages = stagesOf(rows.map(({ name }) => name));
  const columns = [...tensorColumns(record, rows), ...(result ? costColumns(result, rows) : [])];
  const others = rows.filter(({ state }) => state === null);
  return table<LayerRow>({
    id: "layer-table",
    caption: result ? "Every layer: its bits, and what it costs" : "Every layer and its bits",
    columns: columns.map(({ sum: _, total: __, ...column }) => column),
    rows,
    pinned: true,
    hidesUniform: true,
    rowId: (row) =>
      row.state === null ? `tensor-${others.indexOf(row) + 1}` : layerRow(network.layers.indexOf(row.state.layer)),
    group: {
      of: ({ name }) => stages.get(name) ?? null,
      cells: (stage, members) =>
        columns.map(({ sum }, index) =>
          index === 0
            ? markup`${foreign(stage, 40)}, ${members.filter(({ state }) => state !== null).length} layers`
            : (sum?.(members) ?? ""),
        ),
    },
    ...(result && { total: columns.map(({ total }) => total ?? "") }),
  });
}

/** With what stands below it, and what a group of rows comes to. */
interface Summed extends Column<LayerRow> {
  readonly sum?: (rows: readonly LayerRow[]) => string;
  readonly total?: string;
}

function tensorColumns(record: RunRecord, rows: readonly LayerRow[]): readonly Summed[] {
  const { network } = record;
  return [
    {
      title: "Layer",
      value: ({ name }) => name,
      show: ({ name }) => foreign(name, 40),
      further: [
        { title: "Weight shape", value: ({ state }) => state?.layer.weightShape.join("×") ?? null },
        {
          title: "Output shape",
          value: ({ shape }) => shape?.join("×") ?? null,
          show: ({ shape }) => shape && `→ ${shape.join("×")}`,
        },
      ],
      total: "Network",
    },
    {
      title: "MACs",
      kind: "number",
      value: macsOf,
      show: (row) => shown(macsOf(row), integer),
      sum: (rows) => integer(rows.reduce((sum, row) => sum + (macsOf(row) ?? 0), 0)),
      total: integer(network.macs),
    },
    bitsColumn("Weight", {
      bits: ({ state }) => state?.weightBits ?? null,
      isThere: isLayer,
      further: [...ofChannels(rows), ...learned(record, "Weight", ({ weight }) => weight)],
    }),
    inputColumn,
    bitsColumn("Output", {
      bits: ({ output }) => output && bitsNow(record, output.id),
      isThere: ({ output }) => output !== null,
      further: learned(record, "Output", ({ output }) => output),
    }),
    {
      title: "Outputs kept",
      kind: "number",
      applies: isLayer,
      value: ({ state }) => state?.kept ?? null,
      show: ({ state }) => (state ? keptMarkup(state.kept, state.outputs) : "–"),
    },
  ];
}

const keptMarkup = (kept: number | null, of: number): Markup =>
  markup`${kept === null ? "–" : integer(kept)} of ${integer(of)} ${kept !== null && keptBar(kept, of)}`;

interface Bits {
  readonly bits: (row: LayerRow) => TensorBits | null;
  /** Whether the row has such a tensor, whose bits may not be known yet. */
  readonly isThere: (row: LayerRow) => boolean;
  readonly further?: readonly Further<LayerRow>[];
}

const bitsColumn = (what: string, { bits, isThere, further = [] }: Bits): Summed => ({
  title: `${what} bits`,
  kind: "picture",
  value: (row) => {
    const own = bits(row);
    return own === null ? null : meanOf(own);
  },
  applies: isThere,
  show: (row) => {
    const own = bits(row);
    if (own !== null) return tensorChip(own);
    return isThere(row) ? unknown : "–";
  },
  further,
});

/** Of a product what both that it multiplies have. */
const inputColumn: Summed = {
  ...bitsColumn("Input", { bits: ({ state }) => state?.inputBits ?? null, isThere: isLayer }),
  value: ({ state, product }) => {
    if (product === null) return state?.inputBits ?? null;
    return product.bits.includes(null) ? null : mean(product.bits.map((bits) => bits ?? 0));
  },
  applies: isCounted,
  show({ state, product }) {
    const bits = product === null ? [state?.inputBits ?? null] : product.bits;
    if (state === null && product === null) return "–";
    return markup`${bits.map((own) => (own === null ? unknown : tensorChip(own)))}`;
  },
};

const shown = (value: number | null, show: (value: number) => string): string => (value === null ? "–" : show(value));

const unknown = markup`<span class="unknown"><span aria-hidden="true">–</span><span class="hidden">not known yet</span></span>`;

/** What a tensor's quantizer has learned, and how much of the tensor it takes away. */
function learned(
  record: RunRecord,
  what: string,
  of: (row: LayerRow) => RunRecord["quantizers"][number] | null,
): readonly Further<LayerRow>[] {
  const range = (row: LayerRow): number | null => {
    const quantizer = of(row);
    if (quantizer === null || isInCodebook(record, quantizer.id)) return null;
    return learnedNow(record, quantizer.id)?.xMax ?? null;
  };
  const noise = new Map(
    record.analysis?.sensitivity?.tensors.map((tensor: Sensitivity["tensors"][number]) => [
      tensor.quantizer,
      tensor.signalToNoise,
    ]),
  );
  const noiseOf = (row: LayerRow) => noise.get(of(row)?.id ?? "") ?? null;
  return [
    {
      title: `${what} range`,
      value: range,
      show: (row) => clippedText(range(row), of(row)?.signed ?? false),
    },
    {
      title: `${what} signal-to-noise, dB`,
      value: noiseOf,
      show: (row) => {
        const decibels = noiseOf(row);
        return decibels === null ? null : `${decibels.toFixed(1)}\u202fdB`;
      },
    },
    { title: `${what} grid`, value: (row) => gridOf(of(row)), show: null },
    { title: `${what} elements`, value: (row) => of(row)?.elements ?? null, show: null },
    { title: `${what} quantizer`, value: (row) => of(row)?.id ?? null, show: null },
  ];
}

/** Between which widths the output channels lie, where they have several: the chip has their mean. */
function ofChannels(rows: readonly LayerRow[]): readonly Further<LayerRow>[] {
  const range = ({ state }: LayerRow) => rangeText(state?.weightBits ?? 0);
  return rows.every((row) => range(row) === null) ? [] : [{ title: "Weight bits by channel", value: range }];
}

const gridOf = (quantizer: RunRecord["quantizers"][number] | null): string | null =>
  quantizer && (quantizer.signed ? "signed" : "unsigned");

const clippedText = (xMax: number | null, signed: boolean): string | null =>
  xMax === null ? null : `${signed ? "±" : "0…"}${significant(xMax)}`;

function costColumns({ bytes: size, parameters }: RunResult, rows: readonly LayerRow[]): readonly Summed[] {
  const hasAuthors = rows.some((row) => differ(bopsOf(row) ?? 0, byAuthors(row) ?? 0));
  return [
    {
      title: "Inputs kept",
      kind: "number",
      applies: isLayer,
      value: ({ result }) => result?.keptInputs ?? null,
      show: ({ result }) => (result ? `${integer(result.keptInputs)} of ${integer(result.inputs)}` : "–"),
    },
    costColumn("BOPs", bopsOf, { rows, show: integer }),
    ...(hasAuthors ? [costColumn("BOPs, authors’ formula", byAuthors, { rows, show: integer })] : []),
    {
      ...costColumn("Share", ({ result, product }) => result?.share ?? product?.result?.share ?? null, {
        rows,
        show: (share) => percent(share, 1),
      }),
      total: percent(100, 1),
    },
    {
      ...costColumn("Parameters", ({ result }) => result?.parameters ?? null, { rows, show: integer }),
      total: integer(parameters.kept),
    },
    {
      ...costColumn("Size", ({ result }) => result?.bytes ?? null, { rows, show: bytes }),
      total: bytes(size.packed),
    },
  ];
}

function costColumn(
  title: string,
  of: CostOf,
  { rows, show }: { readonly rows: readonly LayerRow[]; readonly show: (value: number) => string },
): Summed {
  const sumOf = (some: readonly LayerRow[]) => show(some.reduce((sum, row) => sum + (of(row) ?? 0), 0));
  return {
    title,
    kind: "number",
    value: of,
    show: (row) => shown(of(row), show),
    sum: sumOf,
    total: sumOf(rows),
  };
}
