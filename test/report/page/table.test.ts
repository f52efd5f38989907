import t from "tap";
import { table } from "../../../src/report/page/table.ts";

interface Row {
  readonly name: string;
  readonly grid: string;
  readonly size: number;
}

const rows: readonly Row[] = [
  { name: "a.1", grid: "signed", size: 1 },
  { name: "a.2", grid: "signed", size: 2 },
  { name: "b", grid: "signed", size: 4 },
];

const whole = {
  id: "rows",
  caption: "Rows",
  columns: [
    { title: "Name", value: ({ name }: Row) => name },
    { title: "Grid", value: ({ grid }: Row) => grid },
    { title: "Size", kind: "number" as const, value: ({ size }: Row) => size },
    { title: "Nothing", value: () => null },
  ],
  rows,
  total: ["All", "", "7", ""],
};

const heads = (page: string) => [...page.matchAll(/<th scope="col"[^>]*>([^<]*)</g)].map(([, title]) => title);

t.test("columns of one value are left out and said, those without any value not", async (t) => {
  t.strictSame(heads(String(table(whole))), ["Name", "Grid", "Size", "Nothing"]);
  const page = String(table({ ...whole, hidesUniform: true }));
  t.strictSame(heads(page), ["Name", "Size"]);
  t.match(page, '<p class="note">The same in all rows: grid signed.</p>');
  t.match(page, '<tfoot><tr><th scope="row">All</th><td class="number">7</td></tr></tfoot>');
  t.strictSame(
    heads(String(table({ ...whole, hidesUniform: true, rows: rows.slice(0, 1) }))),
    heads(String(table(whole))),
  );
});

t.test("where only some rows can have a value, those alone decide whether it is one", async (t) => {
  const applies = ({ size }: Row) => size > 1;
  const bits = { title: "Bits", value: (row: Row) => (applies(row) ? 4 : null) };
  const note = (column: object) =>
    /<p class="note">.*<\/p>/.exec(
      String(
        table({
          ...whole,
          columns: [whole.columns[0]!, { ...bits, ...column }],
          total: ["All", ""],
          hidesUniform: true,
        }),
      ),
    )?.[0];
  t.equal(note({}), undefined);
  t.equal(note({ applies }), '<p class="note">The same in all rows: bits 4.</p>');
});

t.test("a column that is added up stays", async (t) => {
  const same = rows.map((row) => ({ ...row, size: 3 }));
  t.strictSame(heads(String(table({ ...whole, rows: same, hidesUniform: true }))), ["Name", "Size"]);
});

t.test("what else a row has stands below a column's own value, or in CSV alone", async (t) => {
  const further = [
    {
      title: "Length",
      value: ({ size }: Row) => 10 * size,
      show: ({ size }: Row) => (size === 4 ? null : `${10 * size} m`),
    },
    { title: "Id", value: ({ name }: Row) => `<${name}>`, show: null },
  ];
  const grid = { title: "Grid", value: ({ grid }: Row) => grid, further };
  const page = String(
    table({ id: "rows", caption: "Rows", columns: [whole.columns[0]!, grid], rows, hidesUniform: true }),
  );
  t.strictSame(heads(page), ["Name", "Grid"], "one grid, and other lengths");
  t.match(page, '<th scope="col" data-more="[&quot;Length&quot;,&quot;Id&quot;]">Grid</th>');
  t.match(page, '<td data-value="signed" data-more="[10,&quot;&lt;a.1&gt;&quot;]">signed<small>10 m</small></td>');
  t.match(page, '<td data-value="signed" data-more="[40,&quot;&lt;b&gt;&quot;]">signed</td>');
});

t.test("rows of a group stand below one of its own, with what they come to", async (t) => {
  const page = String(
    table({
      ...whole,
      hidesUniform: true,
      rowId: ({ name }) => `row-${name}`,
      group: {
        of: ({ name }) => (name.startsWith("a") ? "a" : null),
        cells: (name, of) => [
          `${name}, ${of.length} rows`,
          "",
          String(of.reduce((sum, { size }) => sum + size, 0)),
          "",
        ],
      },
    }),
  );
  const order = [...page.matchAll(/<tr (class="group"|id="[^"]*")>/g)].map(([, what]) => what);
  t.strictSame(order, ['class="group"', 'id="row-a.1"', 'id="row-a.2"', 'id="row-b"']);
  t.match(page, '<tr class="group"><th scope="row">a, 2 rows</th><td class="number">3</td></tr>');
});
