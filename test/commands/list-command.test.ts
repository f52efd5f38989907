import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { runDiff } from "../../src/commands/diff-command.ts";
import { runList } from "../../src/commands/list-command.ts";
import { runShow } from "../../src/commands/show-command.ts";
import { writeRecord } from "../../src/runs/record-file.ts";
import { quantizedRecord } from "../fixtures/quantized-record.ts";
import { recordingReporter } from "../fixtures/reporter.ts";
import { sampleRecord, unfinishedRecord } from "../fixtures/sample-record.ts";

const folder = t.testdir();
const finished = join(folder, "finished");
const running = join(folder, "sweep", "runs", "running");
const quantized = join(folder, "quantized");
const damaged = join(folder, "damaged");
writeRecord(finished, sampleRecord());
writeRecord(running, unfinishedRecord());
for (const [place, name, text] of [
  [quantized, "quantized.json", JSON.stringify(quantizedRecord())],
  [damaged, "record.json", "{"],
] as const) {
  mkdirSync(place);
  writeFileSync(join(place, name), text);
}

/** What a command prints, for people and for machines. */
function printed(command: (context: Parameters<typeof runList>[1]) => void) {
  const [people, machines]: [string[], string[]] = [[], []];
  const reporter = recordingReporter();
  command({ json: false, reporter, print: (line) => void people.push(line) });
  command({ json: true, reporter, print: (line) => void machines.push(line) });
  return { text: people.join("\n"), json: JSON.parse(machines.join("")), warnings: reporter.warnings };
}

t.test("the runs in a folder, in those below it too; what cannot be read is named", async (t) => {
  const { text, json, warnings } = printed((context) => runList({ folder }, context));
  const lines = text.split("\n");
  t.match(lines[0], /^run +status +network +data +method +result +relative BOPs +bytes$/);
  t.equal(lines.length, 4);
  t.match(lines[1], /finished +finished +lenet5 +mnist +bayesian-bits +99\.06 % top-1 +[\d.]+ % +\d+$/);
  t.match(lines[2], /quantized +finished +\S+\.onnx +– /);
  t.match(lines[3], /sweep\/runs\/running +(running|stopped) +lenet5 +mnist +bayesian-bits +– +– +–$/);
  t.match(warnings, [/^.*damaged: cannot read .*record\.json: it is not JSON/]);
  t.match(json, {
    folder,
    runs: [{ run: damaged, problem: /not JSON/ }, { run: finished, top1: 99.06 }, { run: quantized }, { run: running }],
  });
  t.notOk("tensors" in json.runs[1]);
});

t.test("a folder without runs, and one that is not there", async (t) => {
  const empty = join(folder, "empty");
  mkdirSync(empty);
  const { text, json } = printed((context) => runList({ folder: empty }, context));
  t.equal(text, `no run in ${empty}`);
  t.strictSame(json, { folder: empty, runs: [] });
  t.throws(() => printed((context) => runList({ folder: join(folder, "nowhere") }, context)), {
    message: /cannot list the runs in .*nowhere/,
  });
});

t.test("show has the figures and the bits of every tensor", async (t) => {
  const { text, json } = printed((context) => runShow({ run: finished }, context));
  const record = sampleRecord();
  t.match(text, /^mnist-lenet5-quick: finished; lenet5 on mnist, bayesian-bits\n {2}top-1 +99\.06 %\n/);
  t.match(text, /^tensor +role +bits +channels kept\n/m);
  t.strictSame(
    json.tensors.map(({ tensor, bits }: { tensor: string; bits: number }) => [tensor, bits]),
    record.quantizers.map(({ id }) => [id, record.epochs.at(-1)?.quantizers[id]?.bits]),
  );
  for (const { tensor, bits } of json.tensors) t.match(text, new RegExp(`^${tensor} +\\w+ +${bits} `, "m"));
  t.match(json.settings, { method: { name: "bayesian-bits" } });
  const file = printed((context) => runShow({ run: quantized }, context));
  t.equal(file.json.tensors.length, quantizedRecord().layers.length + quantizedRecord().activations.length);
  t.throws(() => runShow({ run: folder }, printed as never), {
    name: "UsageError",
    message: /holds 4 runs \(.*, …\): name one/,
  });
});

t.test("diff has settings, figures and bits that differ, and nothing else", async (t) => {
  const same = printed((context) => runDiff({ before: finished, after: finished }, context));
  t.equal(same.text, "no difference in settings, figures and bits");
  t.match(same.json, { settings: [], figures: [], tensors: [] });

  const record = sampleRecord();
  const last = record.epochs.at(-1)!;
  const [changed] = record.quantizers;
  const state = last.quantizers[changed!.id]!;
  const other = join(folder, "other");
  const bits = state.bits === 16 ? 8 : 16;
  writeRecord(other, {
    ...record,
    name: "other",
    config: { ...record.config, name: "other", seed: 7 },
    result: { ...record.result!, metrics: { top1: 98.5 } },
    epochs: [
      ...record.epochs.slice(0, -1),
      { ...last, quantizers: { ...last.quantizers, [changed!.id]: { ...state, bits } } },
    ],
  });
  const { text, json } = printed((context) => runDiff({ before: finished, after: other }, context));
  const lines = text.split("\n");
  t.strictSame(lines.slice(0, 5), ["settings", "  seed: 1 → 7", "figures", "  top-1: 99.06 % → 98.50 %", "tensors"]);
  t.equal(lines.length, 6);
  t.match(lines[5], `  ${changed!.id}: ${state.bits} bits`);
  t.match(json, {
    ...{ before: finished, after: other },
    settings: [{ path: "seed", before: 1, after: 7 }],
    figures: [{ key: "top1", before: { value: 99.06 }, after: { value: 98.5 } }],
    tensors: [{ tensor: changed!.id, before: { bits: state.bits }, after: { bits } }],
  });
  const lacking = printed((context) => runDiff({ before: finished, after: running }, context));
  t.match(lacking.text, /^ {2}top-1: 99\.06 % → none$/m);
});
