/** A word for a shell, whatever it holds. */
export const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** The same, bare where that is safe: what people read and type. */
export const shellWord = (word: string): string => (/^[\w./:=%+-]+$/.test(word) ? word : quoted(word));
