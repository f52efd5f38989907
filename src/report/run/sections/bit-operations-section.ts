import { meanBits } from "../../../quantization/levels.ts";
import type { RunRecord, RunResult } from "../../../runs/record.ts";
import { barFigure } from "../../charts/bar-figure.ts";
import { bytes, integer, share, significant } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { later, type Section } from "../../page/section.ts";
import { learnsGates } from "../learns-gates.ts";
import { differ } from "./headline-section.ts";

/** Where the bit operations, the bytes and the channels of the network are. */
export function bitOperationSection(record: RunRecord): Section {
  const { result } = record;
  return {
    id: "layers",
    title: "Bit operations",
    body: result
      ? markup`<div class="figures">${costFigures(record, result)}</div>${formula(record, result)}`
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

/** How products of activations count, where a network has some. */
const ofProducts = markup`<p class="equation">BOPs(product of activations) = MACs · bits of the left one · bits of the right one</p>`;

function formula(record: RunRecord, result: RunResult | null): Markup {
  return markup`<div class="formula"><h3>How bit operations are counted</h3>
<p class="equation">BOPs(layer) = MACs · weight bits · input activation bits · kept share of outputs · kept share of inputs</p>
<p>Bit operations are not latency: a runtime gains only where it has kernels for the bit-widths. MACs are those of the unpruned layer, for one image. The kept inputs are what is left of the layers that feed it. The network’s input counts as ${inputBits(record)}.</p>
${record.network.products && ofProducts}
<p class="equation">relative BOPs = sum over the layers${record.network.products && " and products"} ÷ (32\u202f·\u202f32\u202f·\u202f${integer(record.network.macs)} MACs)</p>
${result && worked(record, result)}</div>`;
}

/** One width, or the mean of the kept channels'. */
function weightBitsText({ weightBits, channelBits }: RunResult["layers"][number]): string {
  const mean = channelBits === undefined ? null : meanBits(channelBits);
  return mean === null ? `${weightBits}` : `${significant(mean, 4)} (mean of the channels)`;
}

/** The formula with the figures of the layer that costs most, and the sum beside the authors'. */
function worked({ network }: RunRecord, result: RunResult): Markup | null {
  const [first, ...others] = result.layers;
  if (first === undefined) return null;
  const dearest = others.reduce((most, one) => (one.bops > most.bops ? one : most), first);
  const { name, inputBits, keptOutputs, outputs, keptInputs, inputs, bops } = dearest;
  const macs = network.layers.find((layer) => layer.name === name)?.macs ?? 0;
  const { relativeBops, relativeBopsAuthors } = result;
  return markup`<p>Here, ${foreign(name, 40)}: ${integer(macs)} · ${weightBitsText(dearest)} · ${inputBits} · ${integer(keptOutputs)}/${integer(outputs)} · ${integer(keptInputs)}/${integer(inputs)} = ${integer(bops)}.</p>
<p>The authors’ formula counts pruned inputs on straight chains only. ${
    differ(relativeBops, relativeBopsAuthors)
      ? `It gives ${significant(relativeBopsAuthors, 4)}\u202f% where ours gives ${significant(relativeBops, 4)}\u202f%.`
      : `For this network both give ${significant(relativeBops, 4)}\u202f%.`
  }</p>`;
}

function inputBits({ quantizers, data }: RunRecord): string {
  if (quantizers.length === 0) return "32 bits, as nothing is quantized";
  return data.values ? "32 bits: it is of float32" : "8 bits";
}
