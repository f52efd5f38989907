import { at, first, last } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import { mean } from "../../core/mean.ts";
import type { Ops } from "../../engine/ops.ts";
import { actionOf, widthOf } from "../../quantization/width-actions.ts";
import type { StoredTensor } from "../../runs/safetensors.ts";
import { putUnder, storedNumbers, takeUnder } from "../../runs/stored-tensors.ts";
import { type GoalAction, GoalAgent } from "./goal-agent.ts";
import { KernelAgent, type UnitActions } from "./kernel-agent.ts";
import type { LayerDecision } from "./kernel-states.ts";
import { intrinsicReward, zetaAt } from "./reward.ts";
import { Limits, type Searcher, type SearchProblem } from "./search-problem.ts";
import { bitsPerKernel, type Decisions, isDeciding } from "./search-space.ts";

/** What both controllers did for a layer. */
interface LayerEpisode {
  readonly action: GoalAction;
  readonly kernels: UnitActions;
}

/**
 * AutoQ (Lou et al., ICLR 2020): widths of single kernels by two agents. The high-level controller decides for each layer
 * the activation's bits and a goal, the mean bits of its kernels; the low-level one, which sees the goal, those of each
 * kernel or group of kernels. All are paid when the episode ends: their returns are known, nothing is bootstrapped.
 */
export class KernelSearch implements Searcher {
  readonly #problem: SearchProblem;
  readonly #limits: Limits;
  readonly #goals: GoalAgent;
  readonly #kernels: KernelAgent;
  #episode = 0;
  #asked: { readonly layers: readonly LayerEpisode[]; readonly decisions: Decisions } | null = null;

  /** @throws UserError where no policy meets the budget. */
  constructor(ops: Ops, problem: SearchProblem) {
    this.#problem = problem;
    this.#limits = new Limits(problem);
    this.#goals = new GoalAgent(ops, problem);
    this.#kernels = new KernelAgent(ops, problem);
  }

  ask(): Decisions {
    const { space } = this.#problem;
    const layers: LayerEpisode[] = [];
    const activations: number[] = [];
    let before: LayerDecision | null = null;
    for (const layer of space.layers.keys()) {
      const action = this.#goals.decide(this.#episode, layer, before);
      activations.push(this.#activationBits(layer, action, activations));
      const decision = this.#decision(action, at(activations, layer));
      layers.push({ action, kernels: this.#kernels.decide(this.#episode, layer, decision) });
      before = decision;
    }
    const decisions = this.#limits.permit({ units: layers.map(({ kernels }) => kernels.bits), activations });
    this.#asked = { layers, decisions };
    return decisions;
  }

  tell(score: number): void {
    if (this.#asked === null) throw new Error("a search is told of what it did not ask for");
    const { layers, decisions } = this.#asked;
    const { episodes, warmup, zeta } = this.#problem;
    const extrinsic = this.#limits.reward(decisions, score);
    const share = zetaAt(this.#episode, episodes, zeta);
    let before: LayerDecision | null = null;
    for (const [layer, taken] of layers.entries()) {
      const { action, kernels } = this.#asItWasDone(layer, taken, decisions);
      const decision = this.#decision(action, at(decisions.activations, layer));
      const { activation } = decision;
      this.#goals.remember(layer, { before, action, activation, kernels: kernels.actions, reward: extrinsic });
      this.#kernels.remember(layer, decision, kernels, this.#paid(layer, decision, kernels.bits, share, extrinsic));
      before = decision;
    }
    if (this.#episode >= warmup) {
      this.#kernels.learn();
      this.#goals.learn(this.#kernels);
    }
    this.#episode++;
    this.#asked = null;
  }

  get goals(): readonly number[] {
    const widest = last(this.#problem.space.weightWidths);
    return (this.#asked?.layers ?? []).map(({ action: [, goal] }) => goal * widest);
  }

  get tensors(): ReadonlyMap<string, StoredTensor> {
    return new Map([
      ["episode", storedNumbers([this.#episode])],
      ...putUnder("goals/", this.#goals.tensors),
      ...putUnder("kernels/", this.#kernels.tensors),
    ]);
  }

  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    this.#episode = first(lookup(tensors, "episode").values);
    this.#goals.restore(takeUnder("goals/", tensors));
    this.#kernels.restore(takeUnder("kernels/", tensors));
  }

  dispose(): void {
    this.#goals.dispose();
    this.#kernels.dispose();
  }

  /** Of what the layer reads: chosen, or what another layer has chosen, or nobody's choice. */
  #activationBits(layer: number, [action]: GoalAction, before: readonly number[]): number {
    const { activation } = at(this.#problem.space.layers, layer);
    if ("bits" in activation) return activation.bits;
    const { decidedBy } = activation;
    return decidedBy === layer ? widthOf(action, this.#limits.activationWidths) : at(before, decidedBy);
  }

  #decision([, goal]: GoalAction, activationBits: number): LayerDecision {
    return { goal, activation: activationBits / last(this.#problem.space.activationWidths) };
  }

  /**
   * What a walk has changed was not what the controllers did: an action becomes one that stands for the width that was
   * measured, and a goal what the kernels achieved.
   */
  #asItWasDone(layer: number, { action, kernels }: LayerEpisode, { units, activations }: Decisions): LayerEpisode {
    const { space } = this.#problem;
    const { weightWidths } = space;
    const { activationWidths } = this.#limits;
    const bits = at(units, layer);
    const width = at(activations, layer);
    const isKept = !isDeciding(space, layer) || widthOf(action[0], activationWidths) === width;
    const activation = isKept ? action[0] : actionOf(width, activationWidths);
    if (bits.every((width, unit) => width === kernels.bits[unit])) return { action: [activation, action[1]], kernels };
    const actions = bits.map((width, unit) =>
      width === kernels.bits[unit]
        ? at(kernels.actions, unit)
        : actionOf(width, at(at(space.layers, layer).units, unit).widths),
    );
    const achieved = mean(bitsPerKernel(at(space.layers, layer).units, bits));
    return { action: [activation, achieved / last(weightWidths)], kernels: { actions, bits } };
  }

  /** The intrinsic reward of a layer's kernels, for each: layers of many then count as those of few. */
  #paid(layer: number, { goal }: LayerDecision, unitBits: readonly number[], zeta: number, extrinsic: number): number {
    const bits = bitsPerKernel(at(this.#problem.space.layers, layer).units, unitBits);
    const wanted = goal * last(this.#problem.space.weightWidths);
    return intrinsicReward({ zeta, goal: wanted, bits, extrinsic }) / bits.length;
  }
}
