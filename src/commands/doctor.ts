import { describeMachine } from "../engine/environment.ts";
import { loadEngine } from "../engine/load.ts";
import type { Context } from "./context.ts";

/** `doctor`: loads the engine and says which one runs, on what, and why. */
export async function runDoctor({ json, print }: Context): Promise<void> {
  const { ops, info } = await loadEngine();
  const { node, platform, cpu, instructionSets } = describeMachine();
  const works = ops.scope(
    () => ops.scalar(ops.dot(ops.tensor(Float32Array.of(1, 2), [2]), ops.tensor(Float32Array.of(3, 4), [2]))),
    () => [],
  );
  if (works !== 11) throw new Error(`the engine computes 1·3 + 2·4 = ${works}`);
  if (json) return print(JSON.stringify({ ...info, node }));
  print(`engine        ${info.engine} (${info.reason})`);
  print(`TensorFlow    ${info.tensorflow} on ${info.device}, ${info.threads} threads`);
  print(`processor     ${cpu}, ${platform}: ${instructionSets.join(" ") || "no vector extensions known"}`);
  print(`Node          ${node}`);
}
