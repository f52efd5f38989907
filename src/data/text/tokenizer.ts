import { z } from "zod";
import { learnSubwords, SubwordSplitter } from "./subwords.ts";
import { byFrequency, countWords, wordsOf } from "./words.ts";

/** The number of what fills texts up: no mean counts it. */
export const PADDING = 0;
/** The number of what is not in the vocabulary. */
export const UNKNOWN = 1;

const specialTokens = ["<pad>", "<unk>"] as const;

/** `vocabulary.json`: how a text becomes numbers of tokens, for those who use the exported file. */
export const tokenizerSchema = z
  .object({
    format: z.literal("bayesian-bits-vocabulary"),
    version: z.literal(1),
    kind: z
      .enum(["words", "subwords"])
      .describe("words: letters, marks and digits together, every other sign by itself; subwords: parts of such words"),
    lowercase: z.boolean().describe("whether texts are put in lower case, after Unicode's form NFC"),
    maxTokens: z
      .int()
      .positive()
      .describe("tokens of a text that count: what follows is cut off, what is missing is padding"),
    padding: z.literal(PADDING).describe("number of what fills texts up"),
    unknown: z.literal(UNKNOWN).describe("number of what is not in the vocabulary"),
    merges: z
      .array(z.string())
      .describe("of sub-words: pairs that are joined, first those that stand first; a word begins with U+2581"),
    tokens: z.array(z.string()).min(specialTokens.length).describe("by their number"),
  })
  .describe("How a text becomes numbers of tokens");

export type TokenizerFile = z.infer<typeof tokenizerSchema>;

/** How a vocabulary is made. */
export interface VocabularyOptions {
  readonly kind: TokenizerFile["kind"];
  /** Tokens at most, padding and unknown among them. */
  readonly size: number;
  /** How often a word stands in the training texts at least. */
  readonly minimum: number;
  readonly lowercase: boolean;
  readonly maxTokens: number;
}

/** A tokenizer of the most frequent words, or sub-words, of training texts. */
export function buildTokenizer(
  texts: readonly string[],
  { kind, size, minimum, lowercase, maxTokens }: VocabularyOptions,
): TokenizerFile {
  const counts = countWords(texts.map((text) => wordsOf(text, { lowercase })));
  const frequent = [...counts].filter(([, count]) => count >= minimum).sort(byFrequency);
  const room = size - specialTokens.length;
  const { tokens, merges } =
    kind === "words"
      ? { tokens: frequent.slice(0, room).map(([word]) => word), merges: [] }
      : learnSubwords(new Map(frequent), room);
  return {
    ...{ format: "bayesian-bits-vocabulary", version: 1, kind, lowercase, maxTokens },
    ...{ padding: PADDING, unknown: UNKNOWN, merges: [...merges], tokens: [...specialTokens, ...tokens] },
  };
}

/** Turns texts into numbers of tokens. */
export class Tokenizer {
  readonly #file: TokenizerFile;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #splitter: SubwordSplitter | null;

  constructor(file: TokenizerFile) {
    this.#file = file;
    this.#numbers = new Map(file.tokens.map((token, number) => [token, number]));
    this.#splitter = file.kind === "subwords" ? new SubwordSplitter(file.merges) : null;
  }

  /** The numbers of a text's tokens, cut off at the most that count; none for a text without words. */
  encode(text: string): Int32Array {
    const { lowercase, maxTokens, unknown } = this.#file;
    const words = wordsOf(text, { lowercase });
    const splitter = this.#splitter;
    const tokens = splitter === null ? words : words.flatMap((word) => splitter.split(word));
    return Int32Array.from(tokens.slice(0, maxTokens), (token) => this.#numbers.get(token) ?? unknown);
  }
}
