import tab from "@bomb.sh/tab/commander";
import type { Command } from "commander";
import { examplesText } from "./help.ts";

/** Adds `completion SHELL`, and the hidden command that shells ask for what may come next. */
export function addCompletion(program: Command): void {
  tab(program, { completionCommandName: "completion" });
  program.commands
    .find((command) => command.name() === "completion")
    ?.description("print what makes a shell complete commands, options and their values")
    .addHelpText("after", examplesText("completion"));
}
