/** A name that a run may have, made of any text: its end where it is long; empty where nothing of it is left. */
export function runName(text: string): string {
  const allowed = text.replaceAll(/[^\p{L}\p{N}._ -]/gu, "-").replace(/^[^\p{L}\p{N}]+/u, "");
  return allowed.slice(-100).replace(/^[^\p{L}\p{N}]+/u, "");
}
