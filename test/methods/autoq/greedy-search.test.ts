import t from "tap";
import { costModel } from "../../../src/methods/autoq/cost-model.ts";
import { GreedySearch } from "../../../src/methods/autoq/greedy-search.ts";
import type { SearchProblem } from "../../../src/methods/autoq/search-problem.ts";
import type { Decisions } from "../../../src/methods/autoq/search-space.ts";
import { TrackedSearch } from "../../../src/methods/autoq/tracked-search.ts";
import { problemOf, spaceOf } from "../../fixtures/search-problems.ts";

const guaranteed = { name: "accuracy-guaranteed", scorePower: 2, costPower: 0.5 } as const;

function searched(problem: SearchProblem, score: (decisions: Decisions) => number) {
  const search = new TrackedSearch(problem, new GreedySearch(problem));
  const asked: Decisions[] = [];
  while (!search.isDone) {
    const decisions = search.ask();
    asked.push(decisions);
    search.tell(score(decisions));
  }
  return { asked, best: search.best! };
}

/** Layers of one weight each, but for the first with an activation: 3 + 3 + 2 trials. */
const space = spaceOf([1, 1, 1]);
const widest = { units: [[8], [8], [8]], activations: [8, 8, 8] };

t.test("what saves nothing is not lowered, however well its trial did", async (t) => {
  const free = { ...space, layers: space.layers.with(2, { ...space.layers[2]!, macs: 0 }) };
  const limit = costModel(free, { relativeBops: 1 }).cost({ ...widest, units: [[4], [4], [8]] });
  const score = ({ units, activations }: Decisions) => (units[2]![0]! < 8 || activations[2]! < 8 ? 100 : 90);
  for (const floatScore of [90, 100]) {
    const float = { score: floatScore, isShare: true };
    const { asked } = searched(problemOf(free, limit, { episodes: 40, float }), score);
    const first = asked.find(
      ({ units, activations }) => [...units.flat(), ...activations].filter((bits) => bits < 8).length > 1,
    )!;
    t.strictSame([first.units[2], first.activations[2]], [[8], 8]);
  }
});

t.test("without a budget it lowers as long as that is worth it", async (t) => {
  const lowered = ({ units, activations }: Decisions) =>
    [...units.flat(), ...activations].filter((bits) => bits < 8).length;
  const problem = problemOf(space, 100, { episodes: 30, objective: guaranteed });
  const cheap = searched(problem, (decisions) => 100 - lowered(decisions) / 10);
  t.strictSame(cheap.best.decisions, { units: [[2], [2], [2]], activations: [8, 2, 2] });
  t.ok(cheap.best.cost < problem.costs.cost(widest));
  const dear = searched(problem, (decisions) => (lowered(decisions) === 0 ? 100 : 1));
  t.strictSame(dear.best.decisions, widest);
});

t.test("without a budget exchanges begin at a trial, where none that follows is better", async (t) => {
  const problem = problemOf(space, 100, { episodes: 60, objective: guaranteed });
  // Two that are lowered together harm, unless both are activations.
  const { best } = searched(problem, ({ units, activations }) => {
    const [weights, inputs] = [units.flat(), activations].map((all) => all.filter((bits) => bits < 8).length);
    return weights! > 1 || (weights! > 0 && inputs! > 0) ? 1 : 100;
  });
  t.ok(best.cost < problem.costs.cost({ ...widest, units: [[2], [8], [8]] }), `${JSON.stringify(best)}`);
});

t.test("a policy takes a number of costs that grows with the places, not with their square", async (t) => {
  const many = spaceOf(new Array(20).fill(1));
  // The lowest widths cost 0.43 %.
  const problem = problemOf(many, 0.5, { episodes: 30 });
  let counted = 0;
  const costs = {
    ...problem.costs,
    cost(decisions: Decisions) {
      counted++;
      return problem.costs.cost(decisions);
    },
  };
  const search = new GreedySearch({ ...problem, costs });
  for (let episode = 0; episode < 30; episode++) {
    counted = 0;
    search.ask();
    t.ok(counted <= 16 * 39, `${counted}`);
    search.tell(100 - episode);
  }
});
