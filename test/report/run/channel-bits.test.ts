import t from "tap";
import { renderReport } from "../../../src/report/run/render-report.ts";
import { sampleRecord } from "../../fixtures/sample-record.ts";

t.test("the bits of output channels are shown in order, sorted and counted", async (t) => {
  const record = sampleRecord();
  const result = record.result!;
  const [layer, ...others] = result.layers;
  const channelBits = Array.from({ length: layer!.outputs }, (_, channel) => ([8, 2, 2, 0] as const)[channel % 4]!);
  const layers = [{ ...layer!, channelBits }, ...others];
  const page = renderReport({ ...record, result: { ...result, layers } });
  const [, table = ""] = /<div class="table" id="channel-bits">([\s\S]*?)<\/table>/.exec(page) ?? [];
  const count = (bits: number) => channelBits.filter((own) => own === bits).length;
  for (const bits of [0, 2, 8]) {
    t.match(table, new RegExp(`<span class="bits b${bits}">${bits}</span> ${count(bits)}\\b`), `${bits} bits`);
  }
  t.notMatch(table, /b4"/, "a width that no channel has is left out");
  const data = /<script[^>]*id="channel-bits-strips"[^>]*>(.*?)<\/script>/s.exec(page)?.[1] ?? "";
  t.strictSame(JSON.parse(data).rows, [{ order: channelBits, sorted: channelBits.toSorted((a, b) => b - a) }]);
  t.notMatch(renderReport(record), 'id="channel-bits"', "nothing where layers have one width each");
});
