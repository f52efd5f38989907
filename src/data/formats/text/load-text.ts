import type { TextConfig } from "../../../config/sections/data-settings.ts";
import { at } from "../../../core/elements.ts";
import { UserError } from "../../../core/errors.ts";
import { lookup } from "../../../core/lookup.ts";
import type { ImageSet, LoadedData } from "../../dataset.ts";
import { bytesOf } from "../../sample-numbers.ts";
import { firstIndices, holdOut } from "../../split.ts";
import { buildTokenizer, Tokenizer } from "../../text/tokenizer.ts";
import { findTexts } from "./find-texts.ts";
import type { LabelledText } from "./labelled-rows.ts";

/**
 * Texts with classes, as numbers of tokens. The vocabulary is made of what is trained on alone: neither of test texts
 * nor of those that are held out.
 *
 * @param seed Chooses which texts are held out.
 * @throws UserError, UsageError as `findTexts` does; where a text has no words, or a class nothing to train on.
 */
export function loadText(
  config: TextConfig,
  { seed, folder }: { readonly seed: number; readonly folder: string },
): LoadedData {
  const { vocabulary, maxTokens, limit, validationShare } = config;
  const found = findTexts({ ...config, folder });
  const train = inOrder(found.train);
  const { train: used } = holdOut(firstIndices(train.length, limit?.train), { share: validationShare, seed });
  const texts = Array.from(used, (index) => at(train, index).text);
  const tokenizer = buildTokenizer(texts, { ...vocabulary, maxTokens });
  const names = [...new Set(train.map(({ label }) => label))].sort();
  if (names.length < 2) {
    throw new UserError(`cannot read data.folder ${folder}: its training texts are all of class ${names[0]}`);
  }
  const classes = new Map(names.map((name, index) => [name, index]));
  const encoder = new Tokenizer(tokenizer);
  const encoded = (rows: readonly LabelledText[]) => encode(rows, { encoder, maxTokens, classes });
  return {
    imageShape: [maxTokens],
    targets: { kind: "classes", names },
    normalization: null,
    tokens: { vocabulary: tokenizer.tokens.length, tokenizer },
    train: encoded(train),
    test: encoded(found.test),
    files: found.files,
  };
}

/** Of each class one in turn, so that the first ones, which a limit keeps, are of all. */
function inOrder(texts: readonly LabelledText[]): readonly LabelledText[] {
  const turns = new Map<string, number>();
  const turn = texts.map(({ label }) => {
    const own = turns.get(label) ?? 0;
    turns.set(label, own + 1);
    return own;
  });
  return texts
    .map((text, index) => ({ text, turn: at(turn, index), index }))
    .sort((one, other) => one.turn - other.turn || one.index - other.index)
    .map(({ text }) => text);
}

function encode(
  rows: readonly LabelledText[],
  {
    encoder,
    maxTokens,
    classes,
  }: { readonly encoder: Tokenizer; readonly maxTokens: number; readonly classes: ReadonlyMap<string, number> },
): ImageSet {
  const tokens = new Int32Array(rows.length * maxTokens);
  const values = Int32Array.from(rows, ({ text, label, place }, index) => {
    const numbers = encoder.encode(text);
    if (numbers.length === 0) {
      throw new UserError(
        `cannot read ${place}: the text has no words: ${JSON.stringify(text.slice(0, 40))}; leave it out`,
      );
    }
    tokens.set(numbers, index * maxTokens);
    if (classes.has(label)) return lookup(classes, label);
    throw new UserError(
      `cannot read ${place}: class ${JSON.stringify(label)} has no text to train on; the classes are ${[...classes.keys()].join(", ")}`,
    );
  });
  return { count: rows.length, images: bytesOf(tokens), targets: { kind: "classes", values } };
}
