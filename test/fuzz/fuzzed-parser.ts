import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Small inputs that ask for much. */
export type Bombs = Readonly<Record<string, () => Uint8Array | Promise<Uint8Array>>>;

/** A door through which bytes come in. */
export interface FuzzedParser {
  /** Whole inputs, from which the mutated ones are made. */
  readonly seeds: readonly Uint8Array[];
  /** What is tried as it is, by name, and made when its turn comes; then none is mutated. */
  readonly bombs?: Bombs;
  /**
   * Parses `bytes`; `folder` is empty and its own. It may return or throw a {@link UserError}; all else is a defect.
   */
  parse(bytes: Buffer, folder: string): unknown;
}

export const text = (...seeds: readonly string[]): Buffer[] => seeds.map((seed) => Buffer.from(seed));

/** Parses bytes as a file, as a user's program would have them. */
export const asFile =
  (name: string, parse: (path: string, folder: string) => unknown) =>
  (bytes: Buffer, folder: string): unknown => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return parse(path, folder);
  };
