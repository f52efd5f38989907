import { mean } from "../../../core/mean.ts";
import type { CodeAnalysis } from "../../../runs/analysis.ts";
import type { RunRecord, RunResult } from "../../../runs/record.ts";
import { bytes, times as factor, fixed, integer, percent } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { facts, type Section } from "../../page/section.ts";
import { type Column, table } from "../../page/table.ts";

type Coded = NonNullable<RunResult["coded"]>[number];

/** What embeddings have become as codes; null where there are none. */
export function codesSection({ result, analysis }: RunRecord): Section | null {
  const coded = result?.coded ?? [];
  if (coded.length === 0) return null;
  return {
    id: "codes",
    title: "Embeddings as codes",
    body: markup`<p>A token’s embedding is cut in groups; of each group a file stores a code, which names one of the group’s codewords. Runtimes look codes up for the tokens of a text alone, so that the table is as small in memory as in the file.</p>
${coded.map((one) => {
  const found = analysis?.codes?.find(({ name }) => name === one.name);
  return markup`${coded.length > 1 && markup`<h3>${foreign(one.name)}</h3>`}${sizes(one)}${found && markup`${usage(one, found)}${groupTable(one, found)}${neighbourTable(found)}`}`;
})}`,
  };
}

/** By the formula of the paper, and by what lies in the file. */
function sizes({ vocabulary, units, groups, codewords, shared, ...stored }: Coded): Markup {
  const { codeBytes, valueBytes, countedBits, fp32Bytes } = stored;
  const packed = codeBytes + valueBytes;
  return facts([
    ["Tokens", `${integer(vocabulary)}, each of ${integer(units)} numbers: ${bytes(fp32Bytes)} in float32`],
    [
      "Codes of a token",
      `${integer(groups)}, each of ${integer(codewords)} codewords${shared ? ", which all groups share" : ""}`,
    ],
    ["Codes", `${bytes(codeBytes)} in the file`],
    ["Codewords, float32", bytes(valueBytes)],
    ["Together", `${bytes(packed)}, ${factor(fp32Bytes / packed)} smaller`],
    [
      "By the paper’s formula",
      `${bytes(Math.ceil(countedBits / 8))}, ${factor((8 * fp32Bytes) / countedBits)} smaller: a code counts log₂ of the codewords`,
    ],
  ]);
}

function usage({ vocabulary, groups, codewords }: Coded, { entropy, unused, distinct, changed }: CodeAnalysis): Markup {
  const idle = unused.reduce((sum, count) => sum + count, 0);
  return markup`<p>A code carries ${fixed(mean(entropy))} bits on average, of ${fixed(Math.log2(codewords))} that it could; ${idle === 0 ? "every codeword is used" : `${integer(idle)} of ${integer(groups * codewords)} codewords are used by no token`}. ${distinct === vocabulary ? "No two tokens have the same codes" : `${integer(vocabulary - distinct)} tokens share all their codes with another`}. Codes were frozen by the statistics of all training texts: ${percent((100 * changed) / (vocabulary * groups), 2)} of them are others than by the running ones.</p>`;
}

/** Groups of the least even use first. */
function groupTable({ codewords }: Coded, { entropy, unused }: CodeAnalysis): Markup {
  const rows = entropy.map((bits, group) => ({ group: group + 1, bits, idle: unused[group] ?? 0 }));
  type Row = (typeof rows)[number];
  const columns: Column<Row>[] = [
    { title: "Group", kind: "number", value: ({ group }) => group, show: ({ group }) => integer(group) },
    { title: "Bits of a code", kind: "number", value: ({ bits }) => bits, show: ({ bits }) => fixed(bits) },
    {
      title: "Codewords used",
      kind: "number",
      value: ({ idle }) => codewords - idle,
      show: ({ idle }) => `${integer(codewords - idle)} of ${integer(codewords)}`,
    },
  ];
  return table<Row>({
    id: "code-groups",
    caption: "How groups use their codewords",
    columns,
    rows: rows.toSorted((one, other) => one.bits - other.bits),
  });
}

type Neighbours = CodeAnalysis["neighbours"][number];

function neighbourTable({ neighbours }: CodeAnalysis): Markup | false {
  if (neighbours.length === 0) return false;
  const list = (words: readonly string[]) => foreign(words.join(", "), 120);
  return table<Neighbours>({
    id: "neighbours",
    caption: "The words most like a word, by cosine",
    columns: [
      { title: "Word", value: ({ word }) => word, show: ({ word }) => foreign(word, 40) },
      {
        title: "Before: by what codes were chosen from",
        value: ({ before }) => before.join(" "),
        show: ({ before }) => list(before),
      },
      {
        title: "After: by what codes stand for",
        value: ({ after }) => after.join(" "),
        show: ({ after }) => list(after),
      },
    ],
    rows: neighbours,
  });
}
