/** Characters of a value, name or place from outside that a message shows. */
const SHOWN = 200;

/** Text from outside, short enough for a message. */
export const shorten = (text: string): string => (text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`);

/** A message in which no path, however long, buries the rest. */
export const shortenWords = (message: string): string => message.replaceAll(/\S+/g, shorten);

/** Names from outside in one line of a message; `none` where there are none. */
export const shortenNames = (names: readonly string[]): string =>
  shortenList(names.map(shorten), 10).join(", ") || "none";

/** Lines for a message: more mistakes than this have one cause, and would bury it. */
export function shortenList(lines: readonly string[], shown = 30): string[] {
  const more = lines.length - shown;
  return more > 0 ? [...lines.slice(0, shown), `and ${more} more`] : [...lines];
}
