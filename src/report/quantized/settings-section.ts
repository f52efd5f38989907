import { budgetText } from "../../ptq/budget-text.ts";
import type { QuantizedRecord } from "../../ptq/quantized-record.ts";
import type { WidthGranularity } from "../../quantization/width-granularity.ts";
import { integer } from "../page/format.ts";
import { foreign, type Markup, markup } from "../page/markup.ts";
import { facts, type Section } from "../page/section.ts";
import { table } from "../page/table.ts";
import { commandOf } from "./command.ts";

/** Everything one needs to get the same file again. */
export function settingsSection(record: QuantizedRecord): Section {
  const { settings, source, runtime, files } = record;
  const { bits, method, seed, skip } = settings;
  const { name, iterations, granularity } = method;
  const own = Object.entries(bits.layers).map(
    ([pattern, width]) => `${pattern}=${typeof width === "number" ? width : "by channel"}`,
  );
  const patterns = (list: readonly string[]) => (list.length === 0 ? "none" : foreign(list.join(", "), 400));
  const optional = (name: string, value: Markup | string | undefined) =>
    value === undefined ? [] : [[name, value] as const];
  return {
    id: "settings",
    title: "Settings, and this file again",
    body: markup`<p>In the folder of this report:</p>
<pre class="command"><code>${commandOf(record)}</code></pre>
${facts([
  ["Weights", "budget" in bits ? `within ${budgetText(bits.budget)}` : `${bits.weights} bits`],
  ...("budget" in bits ? [["A width for each", widthsText(bits.granularity)] as const] : []),
  ["Activations", activationsText(bits.activations)],
  ["Method", name],
  ...optional("Iterations", iterations === undefined ? undefined : integer(iterations)),
  ["A step for each", granularity.startsWith("block:") ? `${granularity.slice("block:".length)} inputs` : granularity],
  ...optional("Saturation", settings.export.saturation),
  ["Widths of single layers", patterns(own)],
  ["Layers to skip", patterns(skip)],
  ["Seed", markup`<code>${seed}</code>`],
  ["Runtime", foreign(runtime, 60)],
])}
${table<FileRow>({
  id: "files",
  caption: "Files and their checksums",
  columns: [
    { title: "File", value: ({ name }) => name, show: ({ name }) => foreign(name, 160) },
    { title: "Is", value: ({ role }) => role },
    {
      title: "Bytes",
      kind: "number",
      value: (file) => file.bytes,
      show: (file) => (file.bytes === null ? "–" : integer(file.bytes)),
    },
    { title: "SHA-256", value: ({ sha256 }) => sha256, show: ({ sha256 }) => markup`<code>${sha256}</code>` },
  ],
  rows: [
    { name: source.file, role: "the file that went in", bytes: source.bytes, sha256: source.sha256 },
    ...samplesOf(record),
    ...files.map(({ path, ...file }) => ({ name: path, role: "written", ...file })),
  ],
})}`,
  };
}

/** As the settings have them. */
function activationsText(activations: QuantizedRecord["settings"]["bits"]["activations"]): string {
  if (activations === 32) return "in float";
  return activations === "budget" ? "within the budget" : `${activations} bits`;
}

const widthsText = (granularity: WidthGranularity): string =>
  typeof granularity === "object"
    ? `${granularity.group} output channels`
    : granularity === "tensor"
      ? "weight"
      : "output channel";

interface FileRow {
  readonly name: string;
  readonly role: string;
  readonly bytes: number | null;
  readonly sha256: string;
}

function samplesOf({ settings: { data }, dataSha256 }: QuantizedRecord): readonly FileRow[] {
  if (data === undefined || dataSha256 === null) return [];
  const name = "samples" in data ? data.samples : data.name;
  return [{ name, role: "samples", bytes: null, sha256: dataSha256 }];
}
