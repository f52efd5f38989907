import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { parseData } from "../../../../src/config/parse-config.ts";
import type { DataSettings } from "../../../../src/config/sections/data-settings.ts";
import { loadText } from "../../../../src/data/formats/text/load-text.ts";
import { tokensOf } from "../../../../src/data/sample-numbers.ts";

const root = t.testdir();
let folders = 0;

/** A folder with these files. */
function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = join(root, `${folders++}`);
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

type Settings = Omit<Extract<DataSettings, { name: "text" }>, "name" | "folder">;

function load(files: Readonly<Record<string, string | Uint8Array>>, settings: Settings = {}) {
  const folder = folderOf(files);
  const config = parseData({
    name: "text",
    folder,
    maxTokens: 4,
    ...settings,
    vocabulary: { minimum: 1, ...settings.vocabulary },
  });
  if (config.name !== "text") throw new Error("it is of texts");
  return loadText(config, { seed: 1, folder });
}

const testTable = "label\ttext\nx\tone two\n";
const tokens = (set: { readonly images: Uint8Array }) => [...tokensOf(set.images)];

t.test("tables and class folders are read to the same numbers", async (t) => {
  const rows = [
    ["one two two", "x"],
    ["three, one", "y"],
  ] as const;
  const ways = {
    tsv: {
      "train.tsv": `label\ttext\r\n${rows.map(([text, label]) => `${label}\t${text}`).join("\r\n")}\r\n`,
      "test.tsv": testTable,
    },
    csv: {
      "train.csv": `text,label\n${rows.map(([text, label]) => `"${text}",${label}`).join("\n")}`,
      "test.tsv": testTable,
    },
    jsonl: {
      "train.jsonl": rows.map(([text, label]) => JSON.stringify({ text, label })).join("\n"),
      "test.tsv": testTable,
    },
    folders: { "train/x/a.txt": rows[0][0], "train/y/deep/b.txt": rows[1][0], "test/x/c.txt": "one two" },
  };
  for (const [way, files] of Object.entries(ways)) {
    const { train, test, targets, tokens: description, imageShape } = load(files);
    t.strictSame(imageShape, [4], way);
    t.strictSame(targets, { kind: "classes", names: ["x", "y"] }, way);
    t.strictSame(description?.tokenizer?.tokens, ["<pad>", "<unk>", "one", "two", ",", "three"], way);
    t.strictSame(
      [tokens(train), tokens(test)],
      [
        [2, 3, 3, 0, 5, 4, 2, 0],
        [2, 3, 0, 0],
      ],
      way,
    );
    t.strictSame([[...train.targets.values], [...test.targets.values]], [[0, 1], [0]], way);
  }
});

t.test("cells in quotes may hold separators, quotes and line ends", async (t) => {
  const { train } = load(
    { "train.csv": 'n,text,label\r\n1,"a, ""b""\nc",x\n2,d,"y"\n', "test.csv": "n,text,label\n3,a,x\n" },
    { maxTokens: 9, vocabulary: { minimum: 1 } },
  );
  t.equal(tokens(train).filter((token) => token > 0).length, 7, 'a , " b " c and d');
});

t.test("a vocabulary knows nothing of what is held out, or of test texts", async (t) => {
  const rows = Array.from({ length: 20 }, (_, row) => `${row % 2 === 0 ? "x" : "y"}\tword${row}`);
  const { tokens: description } = load(
    { "train.tsv": ["label\ttext", ...rows].join("\n"), "test.tsv": "label\ttext\nx\tother\n" },
    { validationShare: 0.5 },
  );
  t.equal(description?.vocabulary, 2 + 10);
});

t.test("a share is set aside where there are no parts", async (t) => {
  const rows = Array.from({ length: 10 }, (_, row) => `${row < 5 ? "x" : "y"}\tword`);
  const files = { "all.tsv": ["label\ttext", ...rows].join("\n") };
  const { train, test } = load(files, { testShare: 0.2 });
  t.strictSame([train.count, test.count, [...test.targets.values]], [8, 2, [0, 1]]);
  t.throws(() => load(files), {
    name: "UsageError",
    message: /^data\.testShare: .* say which share of the texts is for tests/,
  });
  t.throws(() => load({ "train.tsv": "label\ttext\nx\ta\ny\tb", "test.tsv": testTable }, { testShare: 0.2 }), {
    message: /leave testShare away/,
  });
});

t.test("what cannot be read is named, with the remedy", async (t) => {
  const good = "label\ttext\nx\ta\ny\tb\n";
  const refused: readonly (readonly [Readonly<Record<string, string | Uint8Array>>, RegExp])[] = [
    [
      { "train.tsv": "label\ttext\nx\ta\ny\t \n", "test.tsv": testTable },
      /train\.tsv: line 3: the text has no words: " "; leave it out$/,
    ],
    [
      { "train.tsv": Buffer.from([...Buffer.from(good), 0xe9, 0x0a]), "test.tsv": testTable },
      /train\.tsv: it is not UTF-8; write it anew/,
    ],
    [
      { "train.tsv": good, "test.tsv": "label\ttext\nz\ta\n" },
      /test\.tsv: line 2: class "z" has no text to train on; the classes are x, y$/,
    ],
    [{ "train/x/a.txt": "a", "train/y/readme.md": "b", "test/x/c.txt": "a" }, /no \.txt file in class folder y$/],
    [{ "train.tsv": "label\ttext\nx\ta\n", "test.tsv": testTable }, /its training texts are all of class x$/],
    [
      { "train.tsv": "class\ttext\nx\ta\n", "test.tsv": testTable },
      /names no column "label", the labels; it has class, text: say which with data\.columns$/,
    ],
    [
      { "train.tsv": "label\ttext\nx\ta\tb\n", "test.tsv": testTable },
      /train\.tsv: line 2 has 3 cells, the first line 2/,
    ],
    [
      { "train.csv": 'label,text\nx,"a\n', "test.tsv": testTable },
      /train\.csv: line 2: a quote begins there and does not end$/,
    ],
    [
      { "train.jsonl": '{"text":"a"}\n', "test.tsv": testTable },
      /train\.jsonl: line 1: expected an object with the text "text" and the class "label"/,
    ],
    [{ "train.jsonl": "{", "test.tsv": testTable }, /train\.jsonl: line 1: /],
    [{ "train.tsv": good }, /beside train it has no test$/],
    [{ "a.tsv": good, "b.tsv": good }, /expected train and test, as folders or tables/],
    [{ "train.tsv": "label\ttext\n", "test.tsv": testTable }, /train\.tsv: it has no text$/],
  ];
  for (const [files, message] of refused) t.throws(() => load(files), { name: "UserError", message });
});

t.test("either a folder or a corpus is named", async (t) => {
  t.throws(() => parseData({ name: "text" }), { message: /folder: expected either a folder or a corpus/ });
  t.throws(() => parseData({ name: "text", folder: "x", corpus: "reuters-r8" }), {
    message: /either a folder or a corpus/,
  });
});
