import { parseArgs } from "node:util";
import { messageOf } from "../../src/core/errors.ts";
import { describeMachine } from "../../src/engine/environment.ts";
import { type Engine, loadEngine } from "../../src/engine/load-engine.ts";
import { type CaseName, caseNames, isOurs } from "./cases/index.ts";
import { ourCases } from "./cases/ours.ts";
import { isTorch, type TorchCaseName, torchCaseNames } from "./cases/torch.ts";
import { compare } from "./compare.ts";
import { fullEffort, quickEffort } from "./measure.ts";
import { profileTable, table } from "./print.ts";
import { profile } from "./profile.ts";
import { torchPython } from "./torch-environment.ts";
import { type Workload, workloads } from "./workload.ts";

const usage = `npm run bench -- [--network NAME] [--batch N] [--cases a,b] [--quick] [--memory] [--torch] [--profile] [--json]

Times a training step of this project and of its baselines, interleaved in one process.
  --network NAME  one network of the zoo; without it, every one
  --batch N       images in a step; without it, each network's usual ones
  --cases a,b     of ${[...caseNames, ...torchCaseNames].join(", ")}
  --quick         a few seconds for each network; says little on a busy machine
  --memory        peak memory of each case in a process of its own with --quick too; otherwise it is always measured
  --torch         the cases of PyTorch too; sets it up in the cache folder on first use
  --profile       instead: where a step of quantized-2-8 (or of --cases) spends its time, by node kind and operation
  --json          one JSON object a line`;

const { values: options } = parseArgs({
  options: {
    network: { type: "string" },
    batch: { type: "string" },
    cases: { type: "string" },
    quick: { type: "boolean", default: false },
    memory: { type: "boolean", default: false },
    torch: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const say = (message: string) => console.error(message);

function environment({ info }: Engine): string {
  const { node, cpu, platform, instructionSets } = describeMachine();
  return [
    `${cpu} (${platform}; ${instructionSets.join(" ")}), ${info.threads} threads`,
    `engine ${info.engine} (${info.device}), TensorFlow ${info.tensorflow}, node ${node}`,
  ].join("\n");
}

/** The cases that --cases and --torch ask for. */
function chosenCases(): readonly (CaseName | TorchCaseName)[] {
  const known = [...caseNames, ...torchCaseNames];
  if (options.cases === undefined) return options.torch ? known : caseNames;
  return options.cases.split(",").map((name) => {
    const found = known.find((candidate) => candidate === name);
    if (found === undefined) throw new Error(`--cases: ${name} is none of ${known.join(", ")}`);
    return found;
  });
}

/** Prints where the steps of this project's cases among the chosen ones spend their time. */
async function printProfiles(engine: Engine, workload: Workload): Promise<void> {
  const { network, batch } = workload;
  const names = options.cases === undefined ? (["quantized-2-8"] as const) : chosenCases().filter(isOurs);
  for (const name of names) {
    const shares = await profile(engine, workload, ourCases[name], options.quick ? 10 : 50);
    if (options.json) for (const share of shares) console.log(JSON.stringify({ network, batch, case: name, ...share }));
    else console.log(`${name}\n${profileTable(shares)}`);
  }
}

async function main(): Promise<void> {
  if (options.help) return console.log(usage);
  const batch = options.batch === undefined ? undefined : Number(options.batch);
  if (batch !== undefined && !(Number.isInteger(batch) && batch > 0)) {
    throw new Error(`--batch: expected an integer > 0, got ${options.batch}`);
  }
  const cases = chosenCases();
  const chosen = workloads({
    ...(options.network !== undefined && { network: options.network }),
    ...(batch && { batch }),
  });
  const python = cases.some(isTorch) ? torchPython(say) : null;
  const engine = await loadEngine();
  say(environment(engine));
  for (const workload of chosen) {
    say(`${workload.network}, batch ${workload.batch}`);
    if (options.profile) {
      await printProfiles(engine, workload);
      continue;
    }
    const effort = options.quick ? quickEffort : fullEffort;
    const memory = options.memory || !options.quick;
    const measurements = await compare(engine, workload, { cases, effort, memory, python, say });
    if (options.json) for (const measurement of measurements) console.log(JSON.stringify(measurement));
    else console.log(table(measurements));
  }
}

try {
  await main();
} catch (error) {
  say(messageOf(error));
  process.exitCode = 1;
}
