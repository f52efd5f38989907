import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { UserError } from "../../core/errors.ts";
import type { Reporter } from "../../core/progress.ts";
import { setUpCommand } from "../../core/set-up-command.ts";
import { tuple } from "../../core/tuple.ts";
import { folderSize } from "./folder-size.ts";
import { runTool, ToolError } from "./run-tool.ts";
import type { PinnedWheel } from "./wheels.ts";

const MEGABYTE = 1e6;

/** What was fetched is not what was pinned: somebody may have put another file there, so nothing else is tried. */
export class ForeignFileError extends UserError {}

export interface DownloadOptions {
  readonly python: string;
  /** Gets the file, and pip's temporary ones; pip follows the user's own settings of index, proxy and certificates. */
  readonly folder: string;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fetches a wheel with pip into `folder` and checks it.
 *
 * @returns the path of the file.
 * @throws UserError when the disk is too small or pip fails; ForeignFileError when the file is not the pinned one.
 */
export async function downloadWheel(
  wheel: PinnedWheel,
  { python, folder, reporter, signal }: DownloadOptions,
): Promise<string> {
  const { project, version, bytes } = wheel;
  mkdirSync(folder, { recursive: true });
  checkSpace(bytes + wheel.unpackedBytes, folder);
  const total = Math.round(bytes / MEGABYTE);
  reporter.info(`downloading ${project} ${version} (${total} MB)`);
  reporter.progress.start("download", total);
  // pip writes to its temporary folder first: both are watched.
  const timer = setInterval(() => {
    const done = Math.min(total, Math.round(folderSize(folder) / MEGABYTE));
    reporter.progress.update(done, `${done} of ${total} MB`);
  }, 250);
  try {
    await runTool(python, pipArguments(wheel, folder), {
      env: { TMPDIR: folder, PIP_DISABLE_PIP_VERSION_CHECK: "1", PIP_NO_INPUT: "1" },
      timeoutMinutes: 60,
      signal,
    });
  } catch (error) {
    const complaint = error instanceof ToolError ? lastComplaint(error) : String(error);
    throw new UserError(
      `pip could not download ${project} ${version}: ${complaint}; check the network, the proxy and pip's index, then run ${setUpCommand()}`,
      { cause: error },
    );
  } finally {
    clearInterval(timer);
    reporter.progress.stop();
  }
  const archive = join(folder, wheel.file);
  await checkHash(archive, wheel);
  return archive;
}

function pipArguments({ project, version, python, platformTag }: PinnedWheel, folder: string): string[] {
  const tags = ["--python-version", python, "--implementation", "cp", "--platform", platformTag];
  const quietly = ["--quiet", "--progress-bar=off", "--no-cache-dir", "--retries", "3"];
  return [
    "-m",
    "pip",
    "download",
    "--no-deps",
    "--only-binary=:all:",
    ...quietly,
    ...tags,
    "-d",
    folder,
    `${project}==${version}`,
  ];
}

/** pip's last error; its tracebacks end with their cause. */
function lastComplaint(error: ToolError): string {
  const lines = error.output.trim().split("\n");
  return (lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1))?.trim() || error.message;
}

/**
 * Asserts that `bytes` are free in `folder`.
 *
 * @throws UserError that says how many there are.
 */
export function checkSpace(bytes: number, folder: string): void {
  const { bavail, bsize } = statfsSync(folder);
  const [needed, free] = tuple(
    [bytes, bavail * bsize].map((count) => Math.round(count / MEGABYTE)),
    2,
  );
  if (free >= needed) return;
  throw new UserError(
    `setting the engine up needs ${needed} MB in ${folder}, where ${free} MB are free: make room, or let XDG_CACHE_HOME name a folder on another disk`,
  );
}

async function checkHash(archive: string, { file, sha256 }: PinnedWheel): Promise<void> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(archive), hash);
  } catch (error) {
    throw new UserError(
      `pip has not downloaded ${file}: remove its settings that change file names, then run ${setUpCommand()}`,
      {
        cause: error,
      },
    );
  }
  const digest = hash.digest("hex");
  if (digest === sha256) return;
  throw new ForeignFileError(
    `${file} has SHA-256 ${digest} instead of ${sha256} and is not used: pip's index serves another file; use the public Python package index`,
  );
}
