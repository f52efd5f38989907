import { at } from "../../core/elements.ts";
import { uniforms } from "../../core/random.ts";
import { tuple } from "../../core/tuple.ts";
import type { Ops } from "../../engine/ops.ts";
import { widthOf } from "../../quantization/width-actions.ts";
import type { StoredTensor } from "../../runs/safetensors.ts";
import { DdpgAgent, haqSettings, tensorsUnder } from "./ddpg-agent.ts";
import { noiseAt, truncatedNormal } from "./exploration.ts";
import type { KernelAgent } from "./kernel-agent.ts";
import { goalState, goalStateSize, kernelStateSize, kernelStates, type LayerDecision } from "./kernel-states.ts";
import { goalGrid, likeliestGoal } from "./relabel-goal.ts";
import { BATCH, REMEMBERED, Replay } from "./replay.ts";
import { agentSizes, type SearchProblem } from "./search-problem.ts";

/** Of a layer of many units, so many tell which goal they follow. */
const ASKED_UNITS = 16;

/** In [0, 1]: for the activation's bits, and the goal as a share of the widest. */
export type GoalAction = readonly [activation: number, goal: number];

/** The high-level controller: for each layer the activation's bits, and a goal for the mean bits of its kernels. */
export class GoalAgent {
  readonly #problem: SearchProblem;
  readonly #agent: DdpgAgent;
  readonly #replay: Replay;
  #updates = 0;

  constructor(ops: Ops, problem: SearchProblem) {
    const { space, seed, sizes: { layers: hidden } = agentSizes } = problem;
    this.#problem = problem;
    const sizes = { state: goalStateSize, action: 2 };
    this.#agent = new DdpgAgent(ops, { ...haqSettings, ...sizes, hidden, name: "search/goals", seed, discount: 0 });
    const mostUnits = Math.max(...space.layers.map(({ units }) => units.length));
    const capacity = REMEMBERED * space.layers.length;
    this.#replay = new Replay({ ...sizes, capacity, note: 2 + mostUnits, keepsNext: false });
  }

  /** What it does in an episode: at random in the warm-up, with noise afterwards. */
  decide(episode: number, layer: number, before: LayerDecision | null): GoalAction {
    const { space, seed, warmup } = this.#problem;
    const counter = episode * space.layers.length + layer;
    if (episode < warmup) return tuple(uniforms({ seed, stream: "search/goals/first", counter }, 2), 2);
    const means = tuple(this.#agent.act(goalState(space, layer, before)), 2);
    const noise = noiseAt(episode, warmup);
    const noisy = (mean: number, part: string) =>
      truncatedNormal({ seed, stream: `search/goals/noise/${part}`, counter }, mean, noise);
    return [noisy(means[0], "activation"), noisy(means[1], "goal")];
  }

  /** @param kernels What the layer's units did for it. */
  remember(
    layer: number,
    {
      before,
      action,
      activation,
      kernels,
      reward,
    }: {
      readonly before: LayerDecision | null;
      readonly action: GoalAction;
      readonly activation: number;
      readonly kernels: readonly number[];
      readonly reward: number;
    },
  ): void {
    const state = goalState(this.#problem.space, layer, before);
    this.#replay.add({ state, action, reward, next: null, note: [layer, activation, ...kernels] });
  }

  /** An update for each layer, with the goals that the kernels now seem to have followed. */
  learn(kernels: KernelAgent): void {
    for (const _ of this.#problem.space.layers) {
      const key = { seed: this.#problem.seed, stream: "search/goals/replay", counter: this.#updates++ };
      const places = this.#replay.draw(key, BATCH);
      const batch = this.#replay.at(places);
      const actions = this.#relabelled(batch.actions, places, kernels);
      this.#agent.update({ ...batch, actions });
    }
  }

  get tensors(): ReadonlyMap<string, StoredTensor> {
    return new Map<string, StoredTensor>([
      ["updates", { shape: [1], values: Float64Array.of(this.#updates) }],
      ...Array.from(this.#agent.tensors, ([name, tensor]) => [`agent/${name}`, tensor] as const),
      ...Array.from(this.#replay.tensors, ([name, tensor]) => [`replay/${name}`, tensor] as const),
    ]);
  }

  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    this.#updates = tensors.get("updates")?.values[0] ?? 0;
    this.#agent.restore(tensorsUnder(tensors, "agent/"));
    this.#replay.restore(tensorsUnder(tensors, "replay/"));
  }

  dispose(): void {
    this.#agent.dispose();
  }

  /** Actions [count, 2] with the likeliest goals: all candidates of all transitions in one pass of the kernels' actor. */
  #relabelled(actions: Float32Array, places: Uint32Array, kernels: KernelAgent): Float32Array {
    const asked = Array.from(places, (place, index) => this.#candidates(place, at(actions, 2 * index + 1)));
    const rows = asked.reduce((sum, { states }) => sum + states.length, 0);
    const states = new Float32Array(rows);
    asked.reduce((from, one) => {
      states.set(one.states, from);
      return from + one.states.length;
    }, 0);
    const would = kernels.act(states);
    const relabelled = actions.slice();
    asked.reduce((from, { goals, did, states }, index) => {
      const to = from + states.length / kernelStateSize;
      relabelled[2 * index + 1] = likeliestGoal(goals, did, would.subarray(from, to));
      return to;
    }, 0);
    return relabelled;
  }

  /** The goals that a transition may have had, and what the kernels would see under each. */
  #candidates(place: number, original: number) {
    const { space } = this.#problem;
    const [layer = 0, activation = 0, ...noted] = this.#replay.noteAt(place);
    const count = at(space.layers, layer).units.length;
    const all = noted.slice(0, count);
    const bits = all.map((action) => widthOf(action, space.weightWidths));
    const every = Math.ceil(count / ASKED_UNITS);
    const asked = Array.from(all.keys()).filter((unit) => unit % every === 0);
    const did = asked.map((unit) => at(all, unit));
    const goals = Float64Array.of(original, ...goalGrid);
    const states = kernelStates(space, layer, { goals, activation }, bits, asked);
    return { goals, did, states };
  }
}
