import fc from "fast-check";
import t from "tap";
import { UserError } from "../../../src/core/errors.ts";
import { costModel } from "../../../src/methods/autoq/cost-model.ts";
import { GreedySearch } from "../../../src/methods/autoq/greedy-search.ts";
import { randomSearch } from "../../../src/methods/autoq/random-search.ts";
import type { Searcher, SearchProblem } from "../../../src/methods/autoq/search-problem.ts";
import type { Decisions } from "../../../src/methods/autoq/search-space.ts";
import { TrackedSearch } from "../../../src/methods/autoq/tracked-search.ts";
import { quantizeKernel } from "../../../src/quantization/kernel-quantizer.ts";
import { anyEngine } from "../../fixtures/engines.ts";
import { expect, lawHolds } from "../../fixtures/laws.ts";
import { policiesOf, powers, problemOf, searcherOf, spaceOf } from "../../fixtures/search-problems.ts";

const { ops } = await anyEngine();

type Kind = "kernel" | "layer" | "random" | "greedy";

function create(kind: Kind, problem: SearchProblem): Searcher {
  if (kind === "random") return randomSearch(problem);
  return kind === "greedy" ? new GreedySearch(problem) : searcherOf(ops, problem, kind);
}

/** The best is `wanted` bits for each kernel, whatever the activations. */
const scoreFor = (wanted: readonly number[]) => (decisions: Decisions) =>
  100 -
  decisions.units.flat().reduce((sum, bits, kernel) => sum + (bits - wanted[kernel % wanted.length]!) ** 2 / 4, 0);

for (const kind of ["kernel", "layer", "random", "greedy"] as const) {
  const space = spaceOf([2, 2], kind === "layer" ? "layer" : "kernel");
  const problem = problemOf(space, 3, { episodes: 6, warmup: 3, sizes: { layers: [8, 8], kernels: [8, 8] } });
  const score = scoreFor([2, 4]);

  t.test(`${kind}: a search that was stopped goes on to the same policies, bit for bit`, async (t) => {
    const whole = create(kind, problem);
    const expected = policiesOf(whole, 6, score);
    whole.dispose();
    for (const stoppedAt of [2, 4]) {
      const before = new TrackedSearch(problem, create(kind, problem));
      for (let episode = 0; episode < stoppedAt; episode++) before.tell(score(before.ask()));
      const stored = structuredClone(before.tensors);
      before.dispose();
      const after = new TrackedSearch(problem, create(kind, problem));
      after.restore(stored);
      t.equal(after.episodes.length, stoppedAt);
      t.strictSame(after.best, before.best);
      const rest = Array.from({ length: 6 - stoppedAt }, () => {
        const decisions = after.ask();
        after.tell(score(decisions));
        return JSON.stringify(decisions);
      });
      t.strictSame(rest, expected.slice(stoppedAt));
      t.ok(after.isDone);
      after.dispose();
    }
  });

  t.test(`${kind}: another seed asks for others, and nothing is left over`, async (t) => {
    const before = ops.liveTensors();
    const [one, other] = [1, 2].map((seed) => {
      const searcher = create(kind, { ...problem, seed });
      const policies = policiesOf(searcher, 6, score);
      searcher.dispose();
      return policies;
    });
    t.notSame(one, other);
    t.equal(ops.liveTensors(), before);
  });

  t.test(`${kind}: what it finds is within the budget, of the widths, and one that was measured`, async (t) => {
    const search = new TrackedSearch(problem, create(kind, problem));
    const seen = new Map<string, number>();
    while (!search.isDone) {
      const decisions = search.ask();
      seen.set(JSON.stringify(decisions), score(decisions));
      search.tell(score(decisions));
      t.ok(decisions.units.flat().every((bits) => powers.includes(bits)));
    }
    search.dispose();
    const { decisions, score: found, cost } = search.best!;
    t.ok(cost <= 3);
    t.equal(seen.get(JSON.stringify(decisions)), found);
  });

  t.test(`${kind}: a budget of bytes, which activations are no part of, leaves them at the widest`, async (t) => {
    const { cost } = costModel(space, { sizeBytes: 0 });
    const units = (bits: number) => space.layers.map((layer) => layer.units.map(() => bits));
    const sizeBytes = cost({ units: units(4), activations: [8, 8] });
    const searcher = create(kind, { ...problem, costs: costModel(space, { sizeBytes }) });
    for (let episode = 0; episode < 6; episode++) {
      const decisions = searcher.ask();
      t.strictSame(decisions.activations, [8, 8]);
      searcher.tell(score(decisions));
    }
    searcher.dispose();
  });

  t.test(`${kind}: a budget that nothing meets is refused`, async (t) => {
    t.throws(() => create(kind, problemOf(spaceOf([2, 2]), -1)), UserError);
  });
}

t.test("layer: what is drawn in the warm-up is spread evenly over the widths that a layer may have", async (t) => {
  const problem = problemOf(spaceOf([2, 2], "layer"), 100, { episodes: 400, warmup: 400 });
  const searcher = create("layer", problem);
  const counts = new Map<number, number>();
  for (const policy of policiesOf(searcher, 300, () => 100)) {
    const { units }: Decisions = JSON.parse(policy);
    for (const bits of units.flat()) counts.set(bits, (counts.get(bits) ?? 0) + 1);
  }
  searcher.dispose();
  t.strictSame(
    [...counts.keys()].toSorted((a, b) => a - b),
    [2, 4, 8],
  );
  for (const [bits, count] of counts) t.ok(Math.abs(count - 200) < 50, `${bits} bits: ${count} of 600`);
});

t.test("two kernels with known best widths: found for most seeds", async (t) => {
  const score = scoreFor([2, 8]);
  const found = [0, 1, 2].filter((seed) => {
    const sizes = { layers: [8, 8], kernels: [8, 8] } as const;
    const problem = problemOf(spaceOf([3]), (100 * 6 * 8) / 1024, { seed, episodes: 20, warmup: 14, sizes });
    const search = new TrackedSearch(problem, create("kernel", problem));
    while (!search.isDone) search.tell(score(search.ask()));
    search.dispose();
    return search.best!.score >= 95;
  });
  t.ok(found.length >= 2, `${found.length} of 3`);
});

t.test(
  "of all policies of a tiny network, those by kernels cost no more than those by layers at the same error",
  async (t) => {
    const space = spaceOf([2, 2]);
    const { cost } = problemOf(space, 100).costs;
    const kernels = fc.array(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 }), {
      minLength: 4,
      maxLength: 4,
    });
    const choices = (count: number): readonly (readonly number[])[] =>
      count === 0 ? [[]] : choices(count - 1).flatMap((before) => powers.map((width) => [...before, width]));
    lawHolds(
      t,
      fc.tuple(kernels, fc.double({ min: 0, max: 4, noNaN: true })),
      ([kernels, allowed]) => {
        const errors = kernels.map((kernel) =>
          powers.map((width) => {
            const { values } = quantizeKernel(Float32Array.from(kernel), width);
            return kernel.reduce((sum, weight, index) => sum + (weight - values[index]!) ** 2, 0);
          }),
        );
        const least = (policies: readonly (readonly number[])[]) =>
          policies.reduce((least, widths) => {
            const error = widths.reduce((sum, width, kernel) => sum + errors[kernel]![powers.indexOf(width)]!, 0);
            const units = [widths.slice(0, 2), widths.slice(2)];
            return error > allowed ? least : Math.min(least, cost({ units, activations: [8, 8] }));
          }, Number.POSITIVE_INFINITY);
        const layerwise = choices(2).map(([one = 0, other = 0]) => [one, one, other, other]);
        expect(least(choices(4)) <= least(layerwise), "it does");
      },
      8,
    );
  },
);
