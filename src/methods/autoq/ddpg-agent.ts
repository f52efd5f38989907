import { mean } from "../../core/mean.ts";
import { square } from "../../core/powers.ts";
import type { Ops, Tensor } from "../../engine/ops.ts";
import { readFloats } from "../../engine/read-floats.ts";
import { sigmoid } from "../../quantization/hard-concrete.ts";
import type { StoredTensor } from "../../runs/safetensors.ts";
import { putUnder, storedNumbers, takeUnder } from "../../runs/stored-tensors.ts";
import { Perceptron } from "./perceptron.ts";

export interface AgentOptions {
  /** Names its variables and its random numbers. */
  readonly name: string;
  readonly seed: number;
  /** Numbers of a state, and of an action. */
  readonly state: number;
  readonly action: number;
  readonly hidden: readonly [number, number];
  readonly learningRates: { readonly actor: number; readonly critic: number };
  /** How far the targets move towards the nets with each update: tau. */
  readonly mixing: number;
  /** 0: rewards are whole returns, and nobody asks what comes next. */
  readonly discount: number;
}

/** HAQ's. */
export const haqSettings = {
  hidden: [300, 300],
  learningRates: { actor: 1e-4, critic: 1e-3 },
  mixing: 0.01,
  discount: 1,
} as const satisfies Partial<AgentOptions>;

/** Transitions, one a row. */
export interface Transitions {
  readonly count: number;
  /** [count, state] */
  readonly states: Float32Array;
  /** [count, action], within [0, 1]. */
  readonly actions: Float32Array;
  readonly rewards: Float32Array;
  /** [count, state]; of a terminal one anything. Not looked at without a discount. */
  readonly nextStates: Float32Array;
  /** 0 where the episode ends, else 1. */
  readonly continues: Float32Array;
}

/** Losses of an update, each before its own step: the conformance holds them against those of HAQ's code. */
export interface UpdateLosses {
  readonly value: number;
  readonly policy: number;
}

/** How far the moving average of rewards goes towards a batch's mean. */
const BASELINE_SHARE = 0.5;

interface Pair {
  readonly actor: Perceptron;
  readonly critic: Perceptron;
}

/**
 * An agent that learns actions in [0, 1] by deep deterministic policy gradients (Lillicrap et al., 2016), as HAQ's: the
 * actor is sigmoid(perceptron(state)); the critic is a perceptron whose first layer adds one of the state to one of the
 * action. That sum has two biases, each with an optimizer's step of its own: the critic reads [state, action, 1].
 */
export class DdpgAgent {
  readonly #ops: Ops;
  readonly #options: AgentOptions;
  readonly #nets: Pair;
  /** null: nobody asks what comes next. */
  readonly #targets: Pair | null;
  /** Moving average of the rewards, which is taken off them; null before the first update. */
  #baseline: number | null = null;

  constructor(ops: Ops, options: AgentOptions) {
    this.#ops = ops;
    this.#options = options;
    const { name, seed, state, action, hidden } = options;
    const pair = (): Pair => ({
      actor: new Perceptron(ops, [state, ...hidden, action], { name: `${name}/actor`, seed }),
      critic: new Perceptron(ops, [state + action + 1, ...hidden, 1], { name: `${name}/critic`, seed }),
    });
    this.#nets = pair();
    // They begin as the nets: they draw the same numbers.
    this.#targets = options.discount > 0 ? pair() : null;
  }

  get baseline(): number | null {
    return this.#baseline;
  }

  /** What the actor does in each state: [count, action]. */
  act(states: Float32Array): Float32Array {
    return this.#ops.scope(
      () => this.#actions(this.#nets.actor, this.#upload(states, this.#options.state)),
      () => [],
    );
  }

  /** One update: the critic, then the actor by the critic as it is now, then both targets. */
  update(batch: Transitions): UpdateLosses {
    const { learningRates, mixing } = this.#options;
    const { actor, critic } = this.#nets;
    const losses = { value: 0, policy: 0 };
    const goals = this.#goals(batch);
    critic.train(learningRates.critic, () => {
      const trace = critic.forward(this.#criticInput(batch.states, batch.actions));
      const errors = readFloats(this.#ops, trace.output).map((value, row) => value - goals[row]!);
      losses.value = mean(errors.map(square));
      return {
        trace,
        gradient: this.#upload(
          errors.map((error) => (2 * error) / batch.count),
          1,
        ),
      };
    });
    actor.train(learningRates.actor, () => {
      const trace = actor.forward(this.#upload(batch.states, this.#options.state));
      const actions = readFloats(this.#ops, trace.output).map(sigmoid);
      const judged = critic.forward(this.#criticInput(batch.states, actions));
      losses.policy = -mean(readFloats(this.#ops, judged.output));
      const better = this.#upload(new Float32Array(batch.count).fill(-1 / batch.count), 1);
      const byInput = readFloats(this.#ops, critic.inputGradient(judged, better));
      const gradient = actions.map((action, index) => action * (1 - action) * byInput[this.#criticPlace(index)]!);
      return { trace, gradient: this.#upload(gradient, this.#options.action) };
    });
    this.#targets?.actor.moveTowards(actor, mixing);
    this.#targets?.critic.moveTowards(critic, mixing);
    return losses;
  }

  /** Everything that learning has changed, by name. */
  get tensors(): ReadonlyMap<string, StoredTensor> {
    return new Map([
      ...this.#perceptrons.flatMap(([name, { tensors }]) => [...putUnder(`${name}/`, tensors)]),
      ["baseline", storedNumbers(this.#baseline === null ? [] : [this.#baseline])],
    ]);
  }

  /** Takes what `tensors` gave; what is not named stays. */
  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    for (const [name, net] of this.#perceptrons) net.restore(takeUnder(`${name}/`, tensors));
    this.#baseline = tensors.get("baseline")?.values[0] ?? null;
  }

  dispose(): void {
    for (const [, net] of this.#perceptrons) net.dispose();
  }

  get #perceptrons(): readonly (readonly [name: string, Perceptron])[] {
    const named = ({ actor, critic }: Pair, suffix: string) =>
      [
        [`actor${suffix}`, actor],
        [`critic${suffix}`, critic],
      ] as const;
    return [...named(this.#nets, ""), ...(this.#targets === null ? [] : named(this.#targets, "Target"))];
  }

  /** What the critic should say: the reward over the baseline, and the targets' judgement of what comes next. */
  #goals({ rewards, nextStates, continues }: Transitions): Float32Array {
    const now = mean(rewards);
    const before = this.#baseline ?? now;
    const baseline = before + BASELINE_SHARE * (now - before);
    this.#baseline = baseline;
    const targets = this.#targets;
    if (targets === null) return rewards.map((reward) => reward - baseline);
    const next = this.#ops.scope(
      () => {
        const actions = this.#actions(targets.actor, this.#upload(nextStates, this.#options.state));
        return readFloats(this.#ops, targets.critic.forward(this.#criticInput(nextStates, actions)).output).slice();
      },
      () => [],
    );
    const { discount } = this.#options;
    return rewards.map((reward, row) => reward - baseline + discount * continues[row]! * next[row]!);
  }

  #actions(actor: Perceptron, states: Tensor): Float32Array {
    return readFloats(this.#ops, actor.forward(states).output).map(sigmoid);
  }

  #upload(values: Float32Array, columns: number): Tensor {
    return this.#ops.tensor(values, [values.length / columns, columns]);
  }

  /** [state, action, 1] of each row. */
  #criticInput(states: Float32Array, actions: Float32Array): Tensor {
    const { state, action } = this.#options;
    const width = state + action + 1;
    const rows = actions.length / action;
    const input = new Float32Array(rows * width).fill(1);
    for (let row = 0; row < rows; row++) {
      input.set(states.subarray(row * state, (row + 1) * state), row * width);
      input.set(actions.subarray(row * action, (row + 1) * action), row * width + state);
    }
    return this.#upload(input, width);
  }

  /** Where an element of [rows, action] stands among what the critic reads. */
  #criticPlace(index: number): number {
    const { state, action } = this.#options;
    return Math.floor(index / action) * (state + action + 1) + state + (index % action);
  }
}
