import { at, last } from "../../core/elements.ts";
import type { Ops } from "../../engine/ops.ts";
import { actionBetween, widthOf } from "../../quantization/width-actions.ts";
import type { StoredTensor } from "../../runs/safetensors.ts";
import { DdpgAgent, haqSettings, tensorsUnder } from "./ddpg-agent.ts";
import { noiseAt, truncatedNormal } from "./exploration.ts";
import { kernelState, kernelStateSize, kernelStates, type LayerDecision } from "./kernel-states.ts";
import { BATCH, REMEMBERED, Replay } from "./replay.ts";
import { agentSizes, type SearchProblem } from "./search-problem.ts";

/** Of kernels around their goal, while nothing is learned. */
const WARMUP_NOISE = 0.25;

/** What was done for the units of a layer: actions in [0, 1], and the bits that they stand for. */
export interface UnitActions {
  readonly actions: readonly number[];
  readonly bits: readonly number[];
}

/** The low-level controller: the bits of each unit of a layer, one after the other, given the layer's goal. */
export class KernelAgent {
  readonly #problem: SearchProblem;
  readonly #agent: DdpgAgent;
  readonly #replay: Replay;
  /** Of an episode. */
  readonly #units: number;
  #updates = 0;

  constructor(ops: Ops, problem: SearchProblem) {
    const { space, seed, sizes: { kernels } = agentSizes } = problem;
    this.#problem = problem;
    this.#units = space.layers.reduce((sum, { units }) => sum + units.length, 0);
    const sizes = { state: kernelStateSize, action: 1 };
    this.#agent = new DdpgAgent(ops, {
      ...{ ...haqSettings, ...sizes, hidden: kernels, discount: 0 },
      ...{ name: "search/kernels", seed },
    });
    this.#replay = new Replay({ ...sizes, capacity: REMEMBERED * this.#units, keepsNext: false });
  }

  /** What it does in an episode: at random around the goal in the warm-up, with noise afterwards. */
  decide(episode: number, layer: number, decision: LayerDecision): UnitActions {
    const { space, seed, warmup } = this.#problem;
    const { units } = at(space.layers, layer);
    const firstUnit = space.layers.slice(0, layer).reduce((sum, { units }) => sum + units.length, 0);
    const actions: number[] = [];
    const bits: number[] = [];
    for (const unit of units.keys()) {
      const explores = episode < warmup;
      const mean = explores
        ? actionBetween(decision.goal * last(space.weightWidths), space.weightWidths)
        : at(this.#agent.act(kernelState(space, layer, decision, bits)), 0);
      const counter = episode * this.#units + firstUnit + unit;
      const noise = explores ? WARMUP_NOISE : noiseAt(episode, warmup);
      const action = truncatedNormal({ seed, stream: "search/kernels/noise", counter }, mean, noise);
      actions.push(action);
      bits.push(widthOf(action, space.weightWidths));
    }
    return { actions, bits };
  }

  /** What it would do without noise in each state: one action a row. */
  act(states: Float32Array): Float32Array {
    return this.#agent.act(states);
  }

  /** The same return for every unit of a layer. */
  remember(layer: number, decision: LayerDecision, { actions, bits }: UnitActions, reward: number): void {
    const states = kernelStates(
      this.#problem.space,
      layer,
      { goals: [decision.goal], activation: decision.activation },
      bits,
    );
    for (const [unit, action] of actions.entries()) {
      const state = states.subarray(unit * kernelStateSize, (unit + 1) * kernelStateSize);
      this.#replay.add({ state, action: [action], reward, next: null });
    }
  }

  /** An update for each unit of an episode. */
  learn(): void {
    for (let update = 0; update < this.#units; update++) {
      const key = { seed: this.#problem.seed, stream: "search/kernels/replay", counter: this.#updates++ };
      this.#agent.update(this.#replay.at(this.#replay.draw(key, BATCH)));
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
}
