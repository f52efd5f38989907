import t from "tap";
import { withoutVariables } from "../../../src/report/browser/standalone.ts";

t.test(
  "a saved chart has the page's colours in place of variables, and keeps what the page does not know",
  async (t) => {
    const colours: Readonly<Record<string, string>> = { "--ink": " #171b21", "--bits-2": "#c4e6c6" };
    t.equal(
      withoutVariables(
        '<path fill="var(--ink)" stroke="var(--bits-2)" style="var(--other)"/>',
        (name) => colours[name] ?? "",
      ),
      '<path fill="#171b21" stroke="#c4e6c6" style="var(--other)"/>',
    );
  },
);
