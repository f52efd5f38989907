import t from "tap";
import { csvText } from "../../../src/report/browser/csv.ts";

t.test("quotes, commas and line ends are quoted, lines end as RFC 4180 wants", async (t) => {
  t.equal(csvText([["a", 'say "b"', "c,d"], ["e\nf"]]), 'a,"say ""b""","c,d"\r\n"e\nf"\r\n');
  t.equal(csvText([]), "");
});

t.test("what a spreadsheet would take for a formula is defused; negative numbers stay numbers", async (t) => {
  for (const formula of ["=1+1", "+a", "@a", "-a", "\ta", "-"]) t.equal(csvText([[formula]]), `'${formula}\r\n`);
  t.equal(csvText([["-2", "-1.5e-3", "+4"]]), "-2,-1.5e-3,+4\r\n");
  t.equal(csvText([["\ra"]]), `"'\ra"\r\n`);
});
