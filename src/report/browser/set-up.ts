import { setUpAxisChart } from "./axis-chart.ts";
import { all, one } from "./dom.ts";
import { setUpMarkChart } from "./mark-chart.ts";
import { setUpSaving } from "./saving.ts";
import { setUpTables } from "./tables.ts";

/** Sets up the tables and charts below `root`. */
export function setUp(root: ParentNode): void {
  setUpTables(root);
  for (const figure of all(HTMLElement, "figure.chart", root)) {
    const plot = { figure, plot: one(HTMLElement, ".plot", figure) };
    setUpSaving(plot);
    if (figure.dataset.axis === "marks") setUpMarkChart(plot);
    else setUpAxisChart(plot);
  }
}
