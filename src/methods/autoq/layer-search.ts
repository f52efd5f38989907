import { at, last } from "../../core/elements.ts";
import { uniforms } from "../../core/random.ts";
import type { Ops } from "../../engine/ops.ts";
import { actionOf, widthOf } from "../../quantization/width-actions.ts";
import type { StoredTensor } from "../../runs/safetensors.ts";
import { DdpgAgent, haqSettings, tensorsUnder } from "./ddpg-agent.ts";
import { noiseAt, truncatedNormal } from "./exploration.ts";
import { layerStateSize } from "./layer-state.ts";
import { BATCH, REMEMBERED, Replay } from "./replay.ts";
import { agentSizes, Limits, type Searcher, type SearchProblem } from "./search-problem.ts";
import { type Decisions, type Place, widthsAt } from "./search-space.ts";

/** A layer's own numbers, the last action in shares of the widest, and whether weights are decided. */
const STATE = layerStateSize + 2;

/** Layer-wise widths by one agent: HAQ (Wang et al., CVPR 2019). Weights and activations of a layer are decided in turn. */
export class LayerSearch implements Searcher {
  readonly #problem: SearchProblem;
  readonly #limits: Limits;
  /** Decisions of an episode: of each layer the weights, then what it reads. */
  readonly #steps: readonly Place[];
  readonly #agent: DdpgAgent;
  readonly #replay: Replay;
  #episode = 0;
  #updates = 0;
  /** The action of each step as it was taken, and what became of them. */
  #asked: { readonly actions: readonly number[]; readonly decisions: Decisions } | null = null;

  constructor(ops: Ops, problem: SearchProblem) {
    const { seed, sizes: { layers: hidden } = agentSizes } = problem;
    this.#problem = problem;
    this.#limits = new Limits(problem);
    this.#steps = this.#limits.places.toReversed();
    this.#agent = new DdpgAgent(ops, { ...haqSettings, hidden, name: "search/layers", seed, state: STATE, action: 1 });
    const capacity = REMEMBERED * this.#steps.length;
    this.#replay = new Replay({ capacity, state: STATE, action: 1, keepsNext: true });
  }

  ask(): Decisions {
    const { warmup, seed } = this.#problem;
    const draws = uniforms({ seed, stream: "search/layers/first", counter: this.#episode }, this.#steps.length);
    const actions: number[] = [];
    const widths: number[] = [];
    for (const [index, step] of this.#steps.entries()) {
      const counter = this.#episode * this.#steps.length + index;
      const mean = this.#episode < warmup ? 0 : at(this.#agent.act(this.#state(index, widths)), 0);
      const action =
        this.#episode < warmup
          ? at(draws, index)
          : truncatedNormal({ seed, stream: "search/layers/noise", counter }, mean, noiseAt(this.#episode, warmup));
      actions.push(action);
      widths.push(widthOf(action, step.widths));
    }
    const decisions = this.#limits.permit(this.#limits.decisions(widths.toReversed()));
    this.#asked = { actions, decisions };
    return decisions;
  }

  tell(score: number): void {
    if (this.#asked === null) throw new Error("a search is told of what it did not ask for");
    const { actions, decisions } = this.#asked;
    const reward = this.#limits.reward(decisions, score);
    const widths = widthsAt(this.#limits.places, decisions).toReversed();
    for (const [index, step] of this.#steps.entries()) {
      const drawn = at(actions, index);
      const width = at(widths, index);
      // What a walk has changed was not what the agent did.
      const action = widthOf(drawn, step.widths) === width ? drawn : actionOf(width, step.widths);
      const isLast = index === this.#steps.length - 1;
      const next = isLast ? null : this.#state(index + 1, widths);
      this.#replay.add({ state: this.#state(index, widths), action: [action], reward, next });
    }
    if (this.#episode >= this.#problem.warmup) for (const _ of this.#steps) this.#learn();
    this.#episode++;
    this.#asked = null;
  }

  get tensors(): ReadonlyMap<string, StoredTensor> {
    return new Map<string, StoredTensor>([
      ["progress", { shape: [2], values: Float64Array.of(this.#episode, this.#updates) }],
      ...Array.from(this.#agent.tensors, ([name, tensor]) => [`agent/${name}`, tensor] as const),
      ...Array.from(this.#replay.tensors, ([name, tensor]) => [`replay/${name}`, tensor] as const),
    ]);
  }

  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    [this.#episode = 0, this.#updates = 0] = tensors.get("progress")?.values ?? [];
    this.#agent.restore(tensorsUnder(tensors, "agent/"));
    this.#replay.restore(tensorsUnder(tensors, "replay/"));
  }

  dispose(): void {
    this.#agent.dispose();
  }

  #learn(): void {
    const key = { seed: this.#problem.seed, stream: "search/layers/replay", counter: this.#updates++ };
    this.#agent.update(this.#replay.at(this.#replay.draw(key, BATCH)));
  }

  /** What the agent sees at a step, with the widths of those before it. */
  #state(index: number, widths: readonly number[]): Float32Array {
    const step = at(this.#steps, index);
    const state = new Float32Array(STATE);
    state.set(at(this.#problem.space.layers, step.layer).state);
    state[layerStateSize] = index === 0 ? 1 : at(widths, index - 1) / last(at(this.#steps, index - 1).widths);
    state[layerStateSize + 1] = step.unit === null ? 0 : 1;
    return state;
  }
}
