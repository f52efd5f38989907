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
import { digestsOf } from "../../fixtures/digests.ts";
import { anyEngine } from "../../fixtures/engines.ts";
import { expect, lawHolds } from "../../fixtures/laws.ts";
import { policiesOf, powers, problemOf, searcherOf, spaceOf } from "../../fixtures/search-problems.ts";

const { ops } = await anyEngine();

const guaranteed = { name: "accuracy-guaranteed", scorePower: 2, costPower: 0.5 } as const;

type Kind = "kernel" | "layer" | "random" | "greedy";

function create(kind: Kind, problem: SearchProblem): Searcher {
  if (kind === "random") return randomSearch(problem);
  return kind === "greedy" ? new GreedySearch(problem) : searcherOf(ops, problem, kind);
}

/** The best is `wanted` bits for each kernel, whatever the activations. */
const scoreFor = (wanted: readonly number[]) => (decisions: Decisions) =>
  100 -
  decisions.units.flat().reduce((sum, bits, kernel) => sum + (bits - wanted[kernel % wanted.length]!) ** 2 / 4, 0);

/** What a search comes to: its policies, in order, and all that it has learned. */
function runOf(kind: Kind, problem: SearchProblem, score: (decisions: Decisions) => number, stops: readonly number[]) {
  let search = new TrackedSearch(problem, create(kind, problem));
  const scores = new Map<string, number>();
  while (!search.isDone) {
    if (stops.includes(search.episodes.length)) {
      const stored = structuredClone(search.tensors);
      search.dispose();
      search = new TrackedSearch(problem, create(kind, problem));
      search.restore(stored);
    }
    const decisions = search.ask();
    scores.set(JSON.stringify(decisions), score(decisions));
    search.tell(score(decisions));
  }
  const { tensors, best, episodes } = search;
  search.dispose();
  return { scores, learned: digestsOf(tensors), best: best!, episodes };
}

for (const kind of ["kernel", "layer", "random", "greedy"] as const) {
  const space = spaceOf([2, 2], kind === "layer" ? "layer" : "kernel");
  const problem = problemOf(space, 3, { episodes: 6, warmup: 3 });
  const score = scoreFor([2, 4]);
  const { cost: bytesOf } = costModel(space, { sizeBytes: 0 });
  const halved = { units: space.layers.map(({ units }) => units.map(() => 4)), activations: [8, 8] };
  const sizeBytes = bytesOf(halved);

  t.test(`${kind}: a search that was stopped comes to the same, bit for bit`, async (t) => {
    const before = ops.liveTensors();
    const whole = runOf(kind, problem, score, []);
    // Before and after it has begun to learn.
    t.strictSame(runOf(kind, problem, score, [2, 4]), whole);
    t.equal(ops.liveTensors(), before, "nothing is left over");
  });

  const variants: Readonly<Record<string, SearchProblem>> = {
    "a budget of bit operations": problem,
    "a budget of bytes": { ...problem, costs: costModel(space, { sizeBytes }) },
    "no budget": { ...problem, objective: guaranteed },
  };
  for (const [name, variant] of Object.entries(variants)) {
    t.test(`${kind}, ${name}: what it finds is permitted, of the widths, and the best that was measured`, async (t) => {
      const { scores, best, episodes } = runOf(kind, variant, score, []);
      const { decisions, score: found, cost, reward } = best;
      t.equal(scores.get(JSON.stringify(decisions)), found);
      const { limit } = variant.costs;
      const permitted = name === "no budget" ? episodes : episodes.filter(({ cost }) => cost <= limit);
      t.ok(permitted.some((episode) => episode.cost === cost));
      t.ok(permitted.every((episode) => episode.reward <= reward));
      for (const policy of scores.keys()) {
        const { units, activations }: Decisions = JSON.parse(policy);
        t.ok(units.flat().every((bits) => powers.includes(bits)));
        // They are no part of what is stored.
        if (name === "a budget of bytes") t.strictSame(activations, [8, 8]);
      }
    });
  }

  t.test(`${kind}: another seed asks for others`, async (t) => {
    const [one, other] = [1, 2].map((seed) =>
      [...runOf(kind, { ...problem, warmup: 6, seed }, score, []).scores.keys()].join(),
    );
    t.not(one, other);
  });

  t.test(`${kind}: a budget that nothing meets is refused`, async (t) => {
    t.throws(() => create(kind, problemOf(spaceOf([2, 2]), -1)), UserError);
  });
}

for (const level of ["kernel", "layer"] as const) {
  t.test(
    `${level}: what is drawn in the warm-up is spread over the widths that there are, and no others`,
    async (t) => {
      // Nothing can be pruned: each layer has one unit.
      const searcher = create(level, problemOf(spaceOf([1, 1], level), 100, { episodes: 400, warmup: 400 }));
      const counts = new Map<number, number>();
      for (const policy of policiesOf(searcher, 300, () => 100)) {
        const { units }: Decisions = JSON.parse(policy);
        for (const bits of units.flat()) counts.set(bits, (counts.get(bits) ?? 0) + 1);
      }
      searcher.dispose();
      t.strictSame(new Set(counts.keys()), new Set([2, 4, 8]));
      for (const [bits, count] of counts) t.ok(Math.abs(count - 200) < 60, `${bits} bits: ${count} of 600`);
    },
  );
}

const long = process.env.BAYESIAN_BITS_SEARCHES === "all" ? {} : { skip: "npm run test:search" };

for (const kind of ["kernel", "layer"] as const) {
  t.test(
    `${kind}: one kernel whose best bits lie at an end: asked for by most seeds once it has learned`,
    long,
    async (t) => {
      for (const wanted of [2, 8]) {
        const score = ({ units: [[bits = 0] = []] }: Decisions) => 100 - 10 * Math.abs(bits - wanted);
        const learned = Array.from({ length: 10 }, (_, seed) => {
          const problem = problemOf(spaceOf([1], kind), 100, { seed, episodes: 300, warmup: 20 });
          const scores = runOf(kind, problem, score, []).episodes.map(({ score }) => score);
          return scores.slice(-20).filter((score) => score === 100).length >= 15;
        });
        const count = learned.filter(Boolean).length;
        t.ok(count >= 7, `${count} of 10 ask for ${wanted} bits`);
      }
    },
  );
}

t.test("many kernels, whose best bits are those of their layers: random search comes nowhere near", async (t) => {
  const space = spaceOf([16, 16]);
  const wanted = [2, 8];
  const score = ({ units }: Decisions) =>
    100 -
    units.flatMap((bits, layer) => bits.map((width) => Math.abs(width - wanted[layer]!) / 2)).reduce((a, b) => a + b);
  const bestOf = (kind: Kind, seed: number) =>
    runOf(kind, problemOf(space, 100, { seed, episodes: 26, warmup: 24 }), score, []).best.score;
  const random = Array.from({ length: 10 }, (_, seed) => bestOf("random", seed));
  for (const seed of [1, 2]) {
    const found = bestOf("kernel", seed);
    t.ok(found > Math.max(...random), `${found}, and ${random}`);
  }
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
