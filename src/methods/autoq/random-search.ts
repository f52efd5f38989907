import { at, first } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import { uniforms } from "../../core/random.ts";
import { widthOf } from "../../quantization/width-actions.ts";
import { storedNumbers } from "../../runs/stored-tensors.ts";
import { Limits, type Searcher, type SearchProblem } from "./search-problem.ts";

/** The baseline that learns nothing: widths drawn at random, walked into the budget. */
export function randomSearch(problem: SearchProblem): Searcher {
  const limits = new Limits(problem);
  let episode = 0;
  return {
    ask() {
      const drawn = uniforms({ seed: problem.seed, stream: "search/random", counter: episode }, limits.places.length);
      return limits.permit(
        limits.decisions(limits.places.map(({ widths }, index) => widthOf(at(drawn, index), widths))),
      );
    },
    tell() {
      episode++;
    },
    get tensors() {
      return new Map([["episode", storedNumbers([episode])]]);
    },
    restore(tensors) {
      episode = first(lookup(tensors, "episode").values);
    },
    dispose() {},
  };
}
