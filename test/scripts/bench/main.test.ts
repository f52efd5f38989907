import { execFile } from "node:child_process";
import { promisify } from "node:util";
import t from "tap";
import { z } from "zod";
import { nativeMissing } from "../../fixtures/engines.ts";

const bench = (...args: string[]) =>
  promisify(execFile)(process.execPath, ["--import", "tsx", "scripts/bench/main.ts", ...args]);
const lines = (text: string): unknown[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const positive = z.number().positive();
const measurement = z.strictObject({
  network: z.literal("lenet5"),
  batch: z.literal(2),
  case: z.string(),
  medianMs: positive,
  minMs: positive,
  peakMb: z.number().min(50).max(4000).nullable(),
  imagesPerSecond: positive,
});

t.test("a line for each case, with its memory", { skip: nativeMissing() }, async (t) => {
  const cases = ["quantized-worst", "fp32-tfjs", "sequential-tape"];
  const { stdout } = await bench(
    ...["--json", "--quick", "--memory", "--network", "lenet5", "--batch", "2", "--cases", cases.join(",")],
  );
  const measurements = lines(stdout).map((line) => measurement.parse(line));
  t.same(
    measurements.map(({ case: name }) => name),
    cases,
  );
  const peaks = new Set(measurements.map(({ peakMb }) => peakMb));
  t.equal(peaks.size, cases.length, "each process's own peak, not that of the process that started it");
  for (const { medianMs, minMs, peakMb, imagesPerSecond } of measurements) {
    t.ok(minMs <= medianMs);
    t.ok(Math.abs(imagesPerSecond * medianMs - 2000) < 1e-6);
    t.not(peakMb, null);
  }
});

t.test("the parts of a profile make up the step", { skip: nativeMissing() }, async (t) => {
  const { stdout } = await bench("--json", "--quick", "--profile", "--network", "lenet5", "--batch", "2");
  const share = z.object({ part: z.string(), op: z.string().nullable(), msPerStep: z.number() });
  const shares = lines(stdout).map((line) => share.parse(line));
  for (const { part, op, msPerStep } of shares.filter(({ op }) => op === null)) {
    const inside = shares.filter((share) => share.part === part && share.op !== op);
    t.ok(inside.reduce((sum, share) => sum + share.msPerStep, 0) <= msPerStep, `operations of ${part}`);
  }
  t.ok(shares.some(({ part, op }) => part === "weight quantizer backward" && op === "gatedQuantizeGradient"));
});

t.test("what does not exist is named with what does", async (t) => {
  await t.rejects(bench("--network", "lenet6"), { code: 1, stderr: /lenet6.*lenet5/ });
  await t.rejects(bench("--cases", "fp31"), { code: 1, stderr: /fp31.*fp32/ });
  await t.rejects(bench("--batch", "0"), { code: 1, stderr: /--batch.*"?0/ });
});
