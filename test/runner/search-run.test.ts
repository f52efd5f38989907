import { join } from "node:path";
import t from "tap";
import { StoppedError, UsageError } from "../../src/core/errors.ts";
import { type Reporter, silent } from "../../src/core/progress.ts";
import { train } from "../../src/runner/train.ts";
import { readCheckpoint } from "../../src/runs/checkpoint.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { digestsOf } from "../fixtures/digests.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const folder = t.testdir();
const data = writeSmallMnist(join(folder, "data"));

const settings = (method: object, share = 0.2) => ({
  name: "searched",
  data: { name: "mnist" as const, folder: data, batchSize: 16, validationShare: share },
  network: { name: "lenet5" as const },
  method: {
    name: "autoq" as const,
    groups: 2,
    target: { relativeBops: 1 },
    episodes: 5,
    warmup: 2,
    images: 16,
    ...method,
  },
  training: { epochs: 1, pretrain: { epochs: 1 } },
  export: { latency: false as const },
});

/** Stops a run after so many policies. */
function stoppingAfter(policies: number) {
  const controller = new AbortController();
  let [isSearching, measured] = [false, 0];
  const reporter: Reporter = {
    ...silent,
    progress: {
      start(label) {
        isSearching = label === "searching";
      },
      update() {
        if (isSearching && ++measured === policies) controller.abort("SIGINT");
      },
      stop() {},
    },
  };
  return { reporter, stop: controller.signal };
}

t.test("a search, end to end", { skip: nativeMissing(), timeout: 300_000 }, async (t) => {
  const whole = await train(settings({}), { folder: join(folder, "whole") });
  const { search, result, exports } = whole;
  t.strictSame(
    search!.searches.map(({ name, episodes }) => [name, episodes.length]),
    [
      ["autoq", 5],
      ["random", 5],
      ["greedy", 5],
    ],
  );
  const [own] = search!.searches;
  t.ok(own!.best!.cost <= 1 && result!.relativeBops <= own!.best!.cost + 1e-9, "within the budget");
  t.ok(
    result!.layers.some(({ channelBits }) => channelBits !== undefined),
    "channels have widths of their own",
  );
  t.strictSame(Object.keys(whole.times.searchSeconds ?? {}), ["autoq", "random", "greedy"]);
  t.ok(exports.length > 0 && exports[0]!.verification !== null);

  const out = join(folder, "stopped");
  // Once in the method's own search, once in a baseline's.
  await t.rejects(train(settings({}), { folder: out, ...stoppingAfter(4) }), StoppedError);
  await t.rejects(train(settings({}), { folder: out, resume: true, ...stoppingAfter(3) }), StoppedError);
  const resumed = await train(settings({}), { folder: out, resume: true });
  t.strictSame(resumed.search, search);
  t.strictSame(
    Object.keys(resumed.times.searchSeconds ?? {}),
    ["autoq", "random", "greedy"],
    "also of earlier sessions",
  );
  const digests = (run: string) => digestsOf(readCheckpoint(runFiles(run).checkpoint).tensors);
  t.strictSame(digests(out), digests(join(folder, "whole")), "bit for bit");
});

t.test("what cannot be searched for is refused before anything is trained", { skip: nativeMissing() }, async (t) => {
  const refused = async (method: object, message: RegExp, share?: number) => {
    const attempt = train(settings(method, share), { folder: join(folder, "refused") });
    await t.rejects(attempt, UsageError);
    await t.rejects(attempt, { message });
  };
  await refused(
    { target: { relativeBops: 0.0001 } },
    /method\.target\.relativeBops: expected at least .*, got 0\.0001/,
  );
  await refused({ groups: 100_000 }, /method\.groups: expected at most 512, .*, got 100000/);
  await refused({ warmup: 5 }, /method\.warmup: expected less than method\.episodes \(5\)/);
  await refused({}, /data\.validationShare: expected more than 0: method autoq/, 0);
});
