// Control characters of both sets, but for the ends of lines and tabs; and those that turn the direction of writing.
const control = /(?![\t\n])[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/**
 * Text for a terminal: names and values from files may hold sequences that a terminal obeys. Each such character stands
 * as `\u001b`, which also means the same in JSON.
 */
export const printable = (text: string): string =>
  text.replace(control, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
