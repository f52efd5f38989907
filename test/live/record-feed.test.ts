import t from "tap";
import { RecordReceiver, RecordSender } from "../../src/live/record-feed.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";

t.test("what arrives is what was sent, and each epoch goes once", async (t) => {
  const [sender, receiver] = [new RecordSender(), new RecordReceiver()];
  const record = sampleRecord();
  const after = (count: number) => ({ ...record, epochs: record.epochs.slice(0, count) });
  const sizes = [0, 1, 1, 3, 6].map((count) => {
    const change = sender.changeTo(after(count));
    t.strictSame(receiver.take(change), after(count));
    return change.record.epochs.length;
  });
  t.strictSame(sizes, [0, 1, 0, 2, 3]);
});

t.test("a record taken up from a checkpoint replaces the one before", async (t) => {
  const [sender, receiver] = [new RecordSender(), new RecordReceiver()];
  receiver.take(sender.changeTo(sampleRecord()));
  const other = { ...sampleRecord(), epochs: structuredClone(sampleRecord().epochs.slice(0, 4)) };
  t.strictSame(receiver.take(sender.changeTo(other)), other);
  const none = { ...sampleRecord(), epochs: [] };
  t.strictSame(receiver.take(sender.changeTo(none)), none);
});
