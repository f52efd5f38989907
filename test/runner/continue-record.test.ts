import t from "tap";
import { parseConfig } from "../../src/config/parse-config.ts";
import { continueRecord } from "../../src/runner/continue-record.ts";
import { environmentOf } from "../../src/runner/run-environment.ts";
import { distilled } from "../../src/tasks/distillation/distilled.ts";
import { start } from "../../src/training/loop.ts";
import { unfinishedRecord } from "../fixtures/sample-record.ts";
import { classifying } from "../fixtures/tasks.ts";

t.test("a record names every environment of its run, with the epoch from which on it held", async (t) => {
  const at = (epoch: number) => ({ ...start, epoch, step: 10 * epoch });
  const info = { engine: "native", tensorflow: "2.21.0", device: "cpu", threads: 4, reason: "" } as const;
  const there = environmentOf(info);
  const before = { ...unfinishedRecord(), environment: there };
  const config = parseConfig(before.config);
  const task = classifying(10);
  const same = continueRecord({ record: before, progress: at(2) }, { config, task, engine: { info } }, []);
  t.strictSame(same, { record: { ...before, configHash: same.record.configHash }, warnings: [] });

  const elsewhere = { info: { ...info, engine: "wasm", tensorflow: "4.22.0", threads: 1 } as const };
  const moved = continueRecord({ record: before, progress: at(2) }, { config, task, engine: elsewhere }, []);
  t.strictSame(moved.record.environment, there);
  t.strictSame(moved.record.laterEnvironments, [{ ...environmentOf(elsewhere.info), epoch: 2, step: 20 }]);
  t.equal(moved.warnings.length, 1);
  for (const difference of ['engine: "native" → "wasm"', 'tensorflow: "2.21.0" → "4.22.0"', "threads: 4 → 1"])
    t.match(moved.warnings[0], difference);

  const stayed = continueRecord({ ...moved, progress: at(3) }, { config, task, engine: elsewhere }, []);
  t.strictSame([stayed.record.laterEnvironments?.length, stayed.warnings], [1, []]);
  const back = continueRecord({ ...moved, progress: at(4) }, { config, task, engine: { info } }, []);
  t.strictSame(
    back.record.laterEnvironments?.map(({ epoch, engine }) => [epoch, engine]),
    [
      [2, "wasm"],
      [4, "native"],
    ],
  );
});

t.test("a run whose losses were others says from where on they are these", async (t) => {
  const info = { engine: "native", tensorflow: "2.21.0", device: "cpu", threads: 4, reason: "" } as const;
  const before = { ...unfinishedRecord(), environment: environmentOf(info) };
  const task = distilled(classifying(10), { temperature: 1, weight: 1, variance: () => 1 });
  const parts = { config: parseConfig(before.config), task, engine: { info } };
  const { record, warnings } = continueRecord({ record: before, progress: { ...start, epoch: 2 } }, parts, []);
  t.match(record.task, { name: "classification", loss: { label: "divergence from the teacher" } });
  t.match(warnings, [
    /^the loss of \d+ epochs until here is the cross-entropy, .* here on it is the divergence from the/,
  ]);
  t.strictSame(continueRecord({ record, progress: { ...start, epoch: 3 } }, parts, []).warnings, []);
  const changes = [{ path: "training.loss.temperature", before: 1, after: 2 }];
  const asked = continueRecord({ record: before, progress: { ...start, epoch: 2 } }, parts, changes);
  t.notMatch(asked.warnings.join("; "), /earlier version/, "it is the user's own change");
});
