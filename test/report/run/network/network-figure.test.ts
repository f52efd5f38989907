import t from "tap";
import { networkFigure } from "../../../../src/report/run/network/network-figure.ts";
import { readRecord } from "../../../../src/runs/record-file.ts";

t.test("LeNet-5, the first network that anybody sees, is one row on a wide page", async (t) => {
  const figure = String(networkFigure(readRecord("reports/mnist-lenet5-budget-0.35")));
  const [, width, height] = /<svg class="wide" width="(\d+)" height="(\d+)"/.exec(figure) ?? [];
  t.ok(Number(width) <= 1056 && Number(height) < 60, `${width} × ${height}`);
});
