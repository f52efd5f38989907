import fc from "fast-check";
import t from "tap";
import { learnSubwords, SubwordSplitter } from "../../../src/data/text/subwords.ts";
import { buildTokenizer, Tokenizer, tokenizerSchema } from "../../../src/data/text/tokenizer.ts";
import { countWords, wordsOf } from "../../../src/data/text/words.ts";

const options = { kind: "words", size: 100, minimum: 1, lowercase: true, maxTokens: 8 } as const;

t.test("words are letters and digits together, other signs stand alone", async (t) => {
  t.strictSame(wordsOf("It's 3.5 %: Größe, née!", { lowercase: true }), [
    ...["it's", "3", ".", "5", "%", ":", "größe", ",", "née", "!"],
  ]);
  t.strictSame(wordsOf("ne\u0301e", { lowercase: false }), ["née".normalize("NFC")], "composed");
  t.strictSame(wordsOf(" \n\t", { lowercase: true }), []);
});

t.test("the most frequent words get the lowest numbers, what is rare or too much is unknown", async (t) => {
  const texts = ["b a b", "a b c", "d"];
  const { tokens } = buildTokenizer(texts, options);
  t.strictSame(tokens, ["<pad>", "<unk>", "b", "a", "c", "d"]);
  t.strictSame(buildTokenizer(texts, { ...options, minimum: 2 }).tokens, ["<pad>", "<unk>", "b", "a"]);
  t.strictSame(buildTokenizer(texts, { ...options, size: 3 }).tokens, ["<pad>", "<unk>", "b"]);
  const tokenizer = new Tokenizer(buildTokenizer(texts, { ...options, minimum: 2, maxTokens: 3 }));
  t.strictSame([...tokenizer.encode("C A zebra b")], [1, 3, 1], "cut off, in lower case");
  t.strictSame([...tokenizer.encode("")], []);
});

t.test("a vocabulary's file is one, and gives the same numbers when it is read", async (t) => {
  const file = buildTokenizer(["low lower lowest", "new newer"], { ...options, kind: "subwords", size: 24 });
  const read = tokenizerSchema.parse(JSON.parse(JSON.stringify(file)));
  const text = "lowest newest";
  t.strictSame(new Tokenizer(read).encode(text), new Tokenizer(file).encode(text));
});

t.test("sub-words join the most frequent neighbours first", async (t) => {
  const { tokens, merges } = learnSubwords(
    new Map([
      ["ab", 5],
      ["abc", 3],
      ["bc", 2],
    ]),
    6,
  );
  t.strictSame(merges, ["▁a b", "▁ab c"]);
  t.strictSame(tokens, ["b", "▁a", "c", "▁b", "▁ab", "▁abc"]);
  t.strictSame(new SubwordSplitter(merges).split("abcb"), ["▁abc", "b"]);
});

t.test("the sub-words of a word are the word, and those of training words are known", async (t) => {
  const word = fc.stringMatching(/^[abc]{1,6}$/);
  const law = fc.property(
    fc.array(word, { minLength: 1, maxLength: 12 }),
    fc.integer({ min: 6, max: 30 }),
    (words, size) => {
      const { tokens, merges } = learnSubwords(countWords([words]), size);
      const splitter = new SubwordSplitter(merges);
      for (const one of words) {
        const parts = splitter.split(one);
        if (parts.join("") !== `▁${one}`) throw new Error(`${one}: ${parts}`);
        const unknown = parts.find((part) => !tokens.includes(part));
        if (unknown !== undefined) throw new Error(`${unknown} of ${one} is not in ${tokens}`);
      }
    },
  );
  t.doesNotThrow(() => fc.assert(law, { seed: 1, numRuns: 50 }));
});
