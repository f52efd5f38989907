import { z } from "zod";
import { lookup } from "../../../src/core/lookup.ts";
import type { Ops } from "../../../src/engine/ops.ts";
import { DdpgAgent } from "../../../src/methods/autoq/ddpg-agent.ts";
import type { StoredTensor } from "../../../src/runs/safetensors.ts";
import { largestDifference, largestMagnitude, numbers, type Outcome, relativeError, Tally } from "../compare.ts";

const matrix = z.array(numbers);
const dense = (...names: readonly string[]) =>
  z.object(
    Object.fromEntries(
      names.flatMap((name) => [[`${name}.weight`, matrix] as const, [`${name}.bias`, numbers] as const]),
    ),
  );
const actor = dense("fc1", "fc2", "fc3");
const critic = dense("fc11", "fc12", "fc2", "fc3");
const agents = z.object({ actor, critic, actor_target: actor, critic_target: critic });
const file = z.object({
  state_size: z.int(),
  hidden: z.tuple([z.int(), z.int()]),
  lr_actor: z.number(),
  lr_critic: z.number(),
  tau: z.number(),
  discount: z.number(),
  initial: agents,
  batches: z.array(
    z.object({
      states: matrix,
      actions: matrix,
      rewards: matrix,
      next_states: matrix,
      not_terminal: matrix,
      moving_average_reward: z.number(),
      value_loss: z.number(),
      policy_loss: z.number(),
    }),
  ),
  final: agents,
});

/** Of float32, relative to the largest of a tensor. */
const REAL = 1e-5;

const names = { actor: "actor", critic: "critic", actor_target: "actorTarget", critic_target: "criticTarget" } as const;

/** ddpg_update.json: three updates of an agent, on given batches. */
export function checkDdpg(content: unknown, ops: Ops): Outcome {
  const tally = new Tally();
  const golden = file.parse(content);
  const agent = new DdpgAgent(ops, {
    name: "agent",
    seed: 0,
    state: golden.state_size,
    action: 1,
    hidden: golden.hidden,
    learningRates: { actor: golden.lr_actor, critic: golden.lr_critic },
    mixing: golden.tau,
    discount: golden.discount,
  });
  agent.restore(tensorsOf(golden.initial));
  for (const batch of golden.batches) {
    const losses = agent.update({
      count: batch.states.length,
      states: rows(batch.states),
      actions: rows(batch.actions),
      rewards: rows(batch.rewards),
      nextStates: rows(batch.next_states),
      continues: rows(batch.not_terminal),
    });
    tally.case((check) => {
      check(relativeError(agent.baseline ?? Number.NaN, batch.moving_average_reward), REAL);
      check(relativeError(losses.value, batch.value_loss), REAL);
      check(relativeError(losses.policy, batch.policy_loss), REAL);
    });
  }
  const actual = agent.tensors;
  for (const [name, { values }] of tensorsOf(golden.final)) {
    const expected = Array.from(values);
    tally.case((check) =>
      check(largestDifference(lookup(actual, name).values, expected) / largestMagnitude(expected), REAL),
    );
  }
  agent.dispose();
  return tally;
}

const rows = (values: readonly (readonly number[])[]): Float32Array => Float32Array.from(values.flat());

/** [out, in] to [in, out]. */
const transposed = (weight: readonly (readonly number[])[]): readonly (readonly number[])[] =>
  (weight[0] ?? []).map((_, column) => weight.map((row) => row[column]!));

function tensorsOf(nets: z.infer<typeof agents>): ReadonlyMap<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  const put = (name: string, values: readonly number[], shape: readonly number[]) =>
    tensors.set(name, { shape, values: Float32Array.from(values) });
  for (const net of ["actor", "critic", "actor_target", "critic_target"] as const) {
    const parts = nets[net];
    const weight = (name: string) => transposed(matrix.parse(parts[`${name}.weight`]));
    const bias = (name: string) => numbers.parse(parts[`${name}.bias`]);
    // The critic reads [state, action, 1]: its rows are those of the state, of the action, and the action's bias.
    const isActor = net.startsWith("actor");
    const first = isActor ? weight("fc1") : [...weight("fc11"), ...weight("fc12"), bias("fc12")];
    const weights = [first, weight("fc2"), weight("fc3")];
    const biases = [bias(isActor ? "fc1" : "fc11"), bias("fc2"), bias("fc3")];
    for (const [layer, values] of weights.entries()) {
      put(`${names[net]}/${layer}/weight`, values.flat(), [values.length, values[0]?.length ?? 0]);
    }
    for (const [layer, values] of biases.entries()) put(`${names[net]}/${layer}/bias`, values, [values.length]);
  }
  return tensors;
}
