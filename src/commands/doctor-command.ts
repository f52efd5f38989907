import { cacheFolder } from "../core/cache-folder.ts";
import { UserError } from "../core/errors.ts";
import { setUpCommand } from "../core/set-up-command.ts";
import { defaultThreads, describeMachine } from "../engine/environment.ts";
import { type Engine, loadEngine } from "../engine/load-engine.ts";
import { cudaStates } from "../engine/provision/cuda.ts";
import { hasNvidiaDriver } from "../engine/provision/driver.ts";
import { folderSize } from "../engine/provision/folder-size.ts";
import { gpuProblems, whereCudaIs } from "../engine/provision/gpu-libraries.ts";
import { type EngineSources, engineSources, findNative } from "../engine/provision/locate.ts";
import { askedDevice } from "../engine/provision/wheels.ts";
import type { Context } from "./context.ts";

export interface DoctorOptions {
  /** Whether the files of the native engine are compared with their hashes first. */
  readonly verify?: boolean;
}

/**
 * `doctor`: loads the engine, computes with it, and says which one runs, on what, and why.
 *
 * @throws UserError when the engine computes wrongly, or its files are not those that were set up.
 */
export async function runDoctor({ verify = false }: DoctorOptions, { json, print }: Context): Promise<void> {
  if (verify) verifyEngine();
  const { ops, info } = await loadEngine();
  compute(ops);
  const { engine, tensorflow, device, threads, reason } = info;
  const { node, platform, cpu, instructionSets } = describeMachine();
  if (json) return print(JSON.stringify({ engine, tensorflow, device, threads, node, reason }));
  const cache = cacheFolder();
  const lines = [
    ["engine", `${engine} (${reason})`],
    ["TensorFlow", tensorflow],
    ["device", `${device}, ${threads} ${threads === 1 ? "thread" : "threads"}`],
    ["processor", `${cpu}, ${defaultThreads()} cores, ${platform}`],
    ["instructions", instructionSets.join(" ") || "no vector instructions known"],
    ["Node", node],
    ...(verify ? [["files", "have the hashes of their manifest, where the engine was built from a wheel"]] : []),
    ["cache", `${cache} (${Math.round(folderSize(cache) / 1e6)} MB)`],
    ...remedies(info),
  ];
  for (const [name, value] of lines) print(`${name!.padEnd(14)}${value}`);
}

function verifyEngine(): void {
  const sources = engineSources();
  const { damage } = findNative(sources, { whole: true });
  if (damage !== null) throw new UserError(`the native engine is damaged: ${damage}; run ${setUpCommand()}`);
  for (const { state } of cudaStates(sources.cuda, { whole: true })) {
    if (state.kind !== "damaged") continue;
    const remedy = `run BAYESIAN_BITS_DEVICE=gpu ${setUpCommand()}`;
    throw new UserError(`a library for GPUs is damaged: ${state.what}; ${remedy}`);
  }
}

function compute(ops: Engine["ops"]): void {
  const product = ops.scope(
    () => ops.scalar(ops.dot(ops.tensor(Float32Array.of(1, 2), [2]), ops.tensor(Float32Array.of(3, 4), [2]))),
    () => [],
  );
  if (product !== 11)
    throw new UserError(
      `the engine computes 1·3 + 2·4 = ${product}: remove ${cacheFolder("engine")} and run ${setUpCommand()}`,
    );
}

function remedies({ engine, device }: Engine["info"]): [string, string][] {
  if (engine === "wasm")
    return [["remedy", `WebAssembly trains some 20 times slower: ${setUpCommand()} says what the native engine lacks`]];
  if (askedDevice() !== "gpu" && !hasNvidiaDriver()) return [];
  const sources = engineSources();
  if (device === "gpu") return [["GPU libraries", whereCudaIs(sources.cuda)]];
  return whyNoGpu(sources).map((problem) => ["no GPU", problem]);
}

function whyNoGpu(sources: EngineSources): readonly string[] {
  if (sources.wheels.every((wheel) => wheel.device !== "gpu"))
    return ["TensorFlow's wheels have kernels for it on Linux on x64 alone"];
  const kernels = findNative(sources).engine?.wheel?.device === "gpu";
  const problems = [
    ...(kernels ? [] : [`its kernels are not set up: run BAYESIAN_BITS_DEVICE=gpu ${setUpCommand()}`]),
    ...gpuProblems(sources.cuda),
  ];
  const none = "all libraries are there, and TensorFlow finds none: nvidia-smi tells what the driver sees";
  return problems.length > 0 ? problems : [none];
}
