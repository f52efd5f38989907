import type { Option } from "commander";

/** Commands as users type them, shown by `--help` of each. */
const examples = {
  init: ["init", "init my-network.onnx --data photos", "init --data mnist --out mine.yaml"],
  check: ["check my-network.yaml", "check my-network.yaml --set training.epochs=50 --json"],
  train: [
    "train my-network.yaml",
    "train my-network.yaml --watch",
    "train my-network.yaml --set seed=2 --out reports/seed-2",
    "train my-network.yaml --resume",
  ],
  sweep: ["sweep front.yaml --dry-run", "sweep front.yaml --resume", "sweep front.yaml --runner slurm --detach"],
  evaluate: ["evaluate reports/my-network", "evaluate reports/my-network/model.onnx --data my-network.yaml"],
  quantize: [
    "quantize model.onnx",
    "quantize model.onnx --data photos",
    "quantize model.onnx --data samples.npz --weights 4",
    "quantize model.onnx --data samples.npz --budget 12.5%",
  ],
  export: ["export reports/my-network --form int8", "export reports/my-network --form all"],
  report: ["report reports/my-network --baseline reports/float", "report reports/seed-1 reports/seed-2"],
  list: ["list", "list reports/front --json"],
  show: ["show reports/my-network"],
  diff: ["diff reports/seed-1 reports/seed-2"],
  verify: ["verify reports/my-network"],
  fetch: ["fetch mnist"],
  setup: ["setup"],
  completion: ["completion bash", "completion zsh"],
  doctor: ["doctor", "doctor --verify"],
} as const satisfies Readonly<Record<string, readonly [string, ...string[]]>>;

export type CommandName = keyof typeof examples;

/** What `--help` of a command ends with. */
export const examplesText = (command: CommandName): string =>
  ["", "Examples:", ...examples[command].map((example) => `  bayesian-bits ${example}`)].join("\n");

/** An option in words, with what it may be. What stands in its place where it is left out, those words say. */
export const optionText = ({ description, argChoices }: Option): string =>
  argChoices === undefined ? description : `${description} (${argChoices.join(", ")})`;
