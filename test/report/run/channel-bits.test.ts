import t from "tap";
import { renderReport } from "../../../src/report/run/render-report.ts";
import type { RunRecord } from "../../../src/runs/record.ts";
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

t.test("a weight whose channels have several widths is shown by their mean", async (t) => {
  const record = sampleRecord();
  const [{ name, weightQuantizer }] = record.network.layers as [RunRecord["network"]["layers"][number]];
  const [layer, ...others] = record.result!.layers;
  const epochs = record.epochs.map(({ quantizers, ...epoch }) => ({
    ...epoch,
    quantizers: {
      ...quantizers,
      [weightQuantizer!]: { ...quantizers[weightQuantizer!]!, bits: 8 as const, meanBits: 3.4 },
    },
  }));
  const channelBits: (0 | 2 | 8)[] = [8, 2, 2, 0];
  const result = { ...record.result!, layers: [{ ...layer!, weightBits: 8 as const, channelBits }, ...others] };
  const page = renderReport({ ...record, epochs, result });
  const [row = ""] = new RegExp(`<tr id="layer-1">.*${name}.*`).exec(page) ?? [];
  t.match(row, /data-value="3\.4".*<span class="bits b4">3\.4<\/span><small>2–8 by channel/);
  t.match(page, `${name}, weight 3.4 bits, 2–8 by channel,`, "the network’s description");
  t.match(page, 'fill="var(--bits-4)"/><text', "and its drawing");
  t.match(page, '<span class="bits b4">3.4</span></span>', "beside the strip of the epochs");
  t.match(
    renderReport({ ...record, epochs, result: null }),
    "3.4 bits, up to 8 by channel",
    "before there is a result",
  );
});
