import { dirname, resolve } from "node:path";

/** What is asked before a write, by the resolved path of the folder that it is below. */
const guards = new Map<string, () => void>();

/**
 * Has `check` asked before every write of this process below `folder`. It throws where the right to write there is lost.
 *
 * @returns What ends that.
 */
export function guardFolder(folder: string, check: () => void): () => void {
  const place = resolve(folder);
  guards.set(place, check);
  return () => {
    if (guards.get(place) === check) guards.delete(place);
  };
}

/** Asks the guards of all folders that `path` is in; to be called before anything is written or removed there. */
export function askGuards(path: string): void {
  for (let place = resolve(path); ; place = dirname(place)) {
    guards.get(place)?.();
    if (place === dirname(place)) return;
  }
}
