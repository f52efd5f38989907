import { Command, InvalidArgumentError, Option } from "commander";
import { exportForms, exportInputs, quantizedLayouts, saturations } from "../config/sections/export-settings.ts";
import { fileMethods } from "../config/sections/methods/layerwise-settings.ts";
import { sweepRunners } from "../config/sections/sweep-settings.ts";
import { addCompletion } from "./completion.ts";
import type { Context } from "./context.ts";
import { type CommandName, examplesText, optionText } from "./help.ts";
import { logFormats } from "./log-formats.ts";
import { parseMaxDrop } from "./max-drop.ts";

/** @throws InvalidArgumentError, which ends with exit code 2. */
function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new InvalidArgumentError("expected a port, from 0 (a free one) to 65535");
  return port;
}

/** @throws InvalidArgumentError, which ends with exit code 2. */
function parseName(text: string): string {
  if (text === "") throw new InvalidArgumentError("expected a name, got an empty one");
  return text;
}

const collect = (value: string, previous: readonly string[]) => [...previous, value];

const maxDrop = () =>
  new Option(
    "--max-drop <points>",
    "exit code 3 where its main metric is more below float32 than this, as 0.5",
  ).argParser(parseMaxDrop);

/**
 * The command line. Commands load when they run: `--help` needs none of them.
 *
 * @param context Made when a command starts, from the global options.
 */
export function createProgram(
  version: string,
  context: (options: Readonly<Record<string, unknown>>) => Context,
): Command {
  const program = new Command("bayesian-bits")
    .description("Learns how many bits every tensor of a network needs and which channels it can do without.")
    .version(version)
    .option("--json", "results for machines, on standard output")
    .option("--verbose", "stack traces of errors")
    .option("--quiet", "no progress and no log")
    .addOption(
      new Option(
        "--log-format <format>",
        "how the log is written to standard error (default: pretty on a terminal, else plain)",
      ).choices(logFormats),
    )
    .exitOverride()
    .configureHelp({ optionDescription: optionText })
    .configureOutput({ outputError: () => {} });
  const own = (command: Command): Context => context(command.optsWithGlobals());
  const add = (name: CommandName, operands: string, description: string) =>
    program
      .command(`${name} ${operands}`)
      .description(description)
      .addHelpText("after", examplesText(name))
      .addOption(new Option("--json").hideHelp())
      .addOption(new Option("--verbose").hideHelp())
      .addOption(new Option("--quiet").hideHelp())
      .addOption(new Option("--log-format <format>").choices(logFormats).hideHelp());

  add("init", "[model]", "write a configuration that runs, for an ONNX file (or a network of ours) and images")
    .option(
      "--data <what>",
      "a folder with one folder of images for each class, a .npz, mnist, fashion-mnist or cifar10",
    )
    .option("--out <file>", "the configuration (default: <name>.yaml)", parseName)
    .option("--force", "replace the file that is there", false)
    .action(async (model: string | undefined, options, command: Command) => {
      const { runInit } = await import("./init-command.ts");
      await runInit({ model, ...options }, own(command));
    });
  add("check", "<config>", "say what a run would be: shapes, memory, measured time, files; nothing is written")
    .option("--set <path=value>", "change a setting, as training.epochs=3; may be repeated", collect, [])
    .option("--out <dir>", "run directory (default: reports/<name>)", parseName)
    .action(async (config: string, options, command: Command) => {
      const { runCheck } = await import("./check-command.ts");
      await runCheck({ config, ...options }, own(command));
    });
  add("train", "<config>", "train, export, verify and report one configuration")
    .option("--set <path=value>", "change a setting, as training.epochs=3; may be repeated", collect, [])
    .option("--out <dir>", "run directory (default: reports/<name>)", parseName)
    .option("--dry-run", "say what the run would be, as check does, and do nothing", false)
    .option("--resume", "continue a stopped run", false)
    .option("--force", "replace the run that the directory holds; with --resume, take over a lock", false)
    .option("--watch", "serve the growing report on 127.0.0.1; the log names the address")
    .addOption(
      new Option("--watch-port <port>", "serve it on this port (default: a free one)")
        .argParser(parsePort)
        .implies({ watch: true }),
    )
    .addOption(maxDrop())
    .action(async (config: string, options, command: Command) => {
      const { runTrain } = await import("./train-command.ts");
      await runTrain({ config, ...options }, own(command));
    });
  add("sweep", "<file>", "train many runs from one file, and compare them")
    .option("--set <path=value>", "change a setting, as sweep.local.workers=2; may be repeated", collect, [])
    .option("--out <dir>", "folder of the sweep (default: reports/<name>)", parseName)
    .addOption(new Option("--runner <where>", "where the runs take place (default: the file's)").choices(sweepRunners))
    .option("--dry-run", "print the plan, with times of measured steps, and do nothing", false)
    .option("--detach", "with --runner slurm: submit and return", false)
    .option("--resume", "continue: finished runs stay, stopped and failed ones go on, new ones begin", false)
    .option("--force", "replace the sweep that the folder holds; with --resume, take over locks", false)
    .action(async (file: string, options, command: Command) => {
      const { runSweep } = await import("./sweep-command.ts");
      await runSweep({ file, ...options }, own(command));
    });
  add("evaluate", "<target>", "the metrics of a run or of an ONNX file on the test set")
    .option("--data <name>", "data set, or a configuration that names one, for an ONNX file")
    .option("--data-folder <dir>", "folder of the data set")
    .addOption(maxDrop())
    .action(async (target: string, options, command: Command) => {
      const { runEvaluate } = await import("./evaluate-command.ts");
      await runEvaluate({ target, ...options }, own(command));
    });
  add(
    "quantize",
    "<model>",
    "quantize any ONNX file, or as a configuration says, without training; a finished run's folder, within another budget",
  )
    .option(
      "--data <what>",
      "a .npz with an array for each input, a .npy, a folder of images, or a configuration with data",
    )
    .option("--weights <bits>", "bits of weights: 2, 3, 4 or 8 (default: 8)")
    .option(
      "--budget <size>",
      "each weight gets 2, 4 or 8 bits: 25% of float32, 300kB of the file, avg:4 bits, or bops:3% of the bit operations, with the bits of activations too",
    )
    .option("--width-granularity <what>", "what a budget gives bits: tensor (default), channel, or group:8 of channels")
    .option("--granularity <what>", "what has a step: tensor, channel (default), or block:32, :64, :128 of its inputs")
    .option("--layer-bits <name=bits>", "bits of single layers, as /head/*=8; may be repeated", collect, [])
    .option(
      "--activations <bits>",
      "bits of activations: 8, 16 or 32 (default: 8 with data, else 32: float; chosen within --budget bops:3%)",
    )
    .addOption(
      new Option(
        "--method <name>",
        "how weights are rounded, or made codes into codebooks: product-quantization (default: bit-split below 8 bits with data, else nearest)",
      ).choices(fileMethods),
    )
    .option("--iterations <count>", "with --method adaround: optimizer steps for each layer (default: 10000)")
    .addOption(maxDrop())
    .option("--min-sqnr <db>", "refuse a file with an output of less signal-to-noise ratio")
    .option("--min-agreement <percent>", "refuse a file that keeps the class of fewer samples")
    .option("--skip <pattern>", "leave layers alone whose names fit, as /head/*; may be repeated", collect, [])
    .addOption(
      new Option("--saturation <kind>", "avoid: exact on x86 processors without VNNI too, and slower").choices(
        saturations,
      ),
    )
    .addOption(
      new Option("--layout <names>", "names of files: model.onnx, or those of a transformers.js model").choices(
        quantizedLayouts,
      ),
    )
    .option("--set <path=value>", "change a setting, as calibration.samples=100; may be repeated", collect, [])
    .option("--out <dir>", "folder of the result (default: reports/<name>, of a file <model>-w<bits>a<bits>)")
    .option("--resume", "go on with a run in the folder that was stopped", false)
    .option("--force", "replace what the folder holds", false)
    .action(async (model: string, options, command: Command) => {
      const { runQuantize } = await import("./quantize-command.ts");
      await runQuantize({ model, ...options }, own(command));
    });
  add("export", "<run>", "write a run's network as a file and verify it")
    .addOption(
      new Option("--form <form>", "form of the file (default: the run's); all: a file of each").choices([
        ...exportForms,
        "all",
      ]),
    )
    .addOption(new Option("--input <kind>", "what it takes (default: the run's)").choices(exportInputs))
    .addOption(
      new Option(
        "--saturation <kind>",
        "avoid: exact on x86 processors without VNNI too, and slower (default: the run's)",
      ).choices(saturations),
    )
    .option("--out <file>", "the file (default: model.onnx in the run, model.<form>.onnx for another form)", parseName)
    .addOption(maxDrop())
    .option("--unverified", "write a form whose runtime is not here without verifying it")
    .action(async (run: string, options, command: Command) => {
      const { runExport } = await import("./export-command.ts");
      await runExport({ run, ...options }, own(command));
    });
  add("report", "<runs...>", "write the HTML report of each run; of several runs, or of a sweep, their comparison")
    .option(
      "--out <file>",
      "the file (default: report.html in the run; of a comparison, beside the first run, or index.html in the sweep)",
      parseName,
    )
    .option(
      "--baseline <run>",
      "a run to hold the others against, as FP32, which later reports of them keep; may be repeated",
      collect,
      [],
    )
    .option("--no-baselines", "hold them against no run any more")
    .action(async (runs: string[], options, command: Command) => {
      const { runReport } = await import("./report-command.ts");
      await runReport({ runs, ...options }, own(command));
    });
  add("list", "[folder]", "the runs in a folder, a line each (default: reports)").action(
    async (folder: string | undefined, _, command: Command) => {
      const { runList } = await import("./list-command.ts");
      runList({ folder }, own(command));
    },
  );
  add("show", "<run>", "what a run came to, and the bits of its tensors").action(
    async (run: string, _, command: Command) => {
      const { runShow } = await import("./show-command.ts");
      runShow({ run }, own(command));
    },
  );
  add("diff", "<before> <after>", "the settings, figures and bits in which two runs differ").action(
    async (before: string, after: string, _, command: Command) => {
      const { runDiff } = await import("./diff-command.ts");
      runDiff({ before, after }, own(command));
    },
  );
  add("verify", "<run>", "compare a run's files with their hashes").action(async (run: string, _, command: Command) => {
    const { runVerify } = await import("./verify-command.ts");
    runVerify({ run }, own(command));
  });
  add("fetch", "<dataset>", "fetch a data set into the cache").action(async (dataset: string, _, command: Command) => {
    const { runFetch } = await import("./fetch-command.ts");
    await runFetch({ dataset }, own(command));
  });
  add("setup", "", "set the native engine up").action(async (_, command: Command) => {
    const { runSetup } = await import("./setup-command.ts");
    await runSetup(own(command));
  });
  add("doctor", "", "say which engine runs here, and why")
    .option("--verify", "compare the engine's files with their hashes first", false)
    .action(async (options, command: Command) => {
      const { runDoctor } = await import("./doctor-command.ts");
      await runDoctor(options, own(command));
    });
  addCompletion(program);
  return program;
}
