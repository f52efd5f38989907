import type { QuantizedRecord } from "../../ptq/quantized-record.ts";
import { integer } from "../page/format.ts";
import { foreign, type Markup, markup } from "../page/markup.ts";
import { facts, type Section } from "../page/section.ts";
import { table } from "../page/table.ts";
import { commandOf } from "./command.ts";

/** Everything one needs to get the same file again. */
export function settingsSection(record: QuantizedRecord): Section {
  const { settings, plan, source, runtime, files } = record;
  const { weights, activations, method, granularity, iterations, saturation, seed, layerBits, skip } = settings;
  const own = Object.entries(layerBits).map(([pattern, bits]) => `${pattern}=${bits}`);
  const patterns = (list: readonly string[]) => (list.length === 0 ? "none" : foreign(list.join(", "), 400));
  const optional = (name: string, value: Markup | string | undefined) =>
    value === undefined ? [] : [[name, value] as const];
  return {
    id: "settings",
    title: "Settings, and this file again",
    body: markup`<p>In the folder of this report:</p>
<pre class="command"><code>${commandOf(record)}</code></pre>
${facts([
  ["Weights", plan === null ? `${weights} bits` : markup`within ${foreign(plan.budget, 20)}`],
  ["Activations", activations === 32 ? "in float" : `${activations} bits`],
  ["Method", method],
  ...optional("Iterations", iterations === undefined ? undefined : integer(iterations)),
  ["A step for each", typeof granularity === "number" ? `${granularity} inputs` : granularity],
  ...optional("Saturation", saturation),
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
    ...samplesOf(settings),
    ...files.map(({ path, ...file }) => ({ name: path, role: "written", ...file })),
  ],
})}`,
  };
}

interface FileRow {
  readonly name: string;
  readonly role: string;
  readonly bytes: number | null;
  readonly sha256: string;
}

const samplesOf = ({ data, dataSha256 }: QuantizedRecord["settings"]): readonly FileRow[] =>
  data === null || dataSha256 === null ? [] : [{ name: data, role: "samples", bytes: null, sha256: dataSha256 }];
