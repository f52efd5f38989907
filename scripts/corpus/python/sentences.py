"""English sentences out of the documentation that scikit-learn and SciPy ship, as text to embed and to count words in."""
import importlib
import inspect
import re

_MODULES = (
    "sklearn.linear_model", "sklearn.ensemble", "sklearn.cluster", "sklearn.preprocessing", "sklearn.metrics",
    "sklearn.decomposition", "sklearn.model_selection", "sklearn.datasets", "scipy.optimize", "scipy.signal",
    "scipy.stats", "scipy.ndimage", "scipy.linalg", "scipy.spatial",
)
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


def _paragraphs():
    for name in _MODULES:
        module = importlib.import_module(name)
        for _, member in sorted(inspect.getmembers(module)):
            text = inspect.getdoc(member) if inspect.isclass(member) or inspect.isfunction(member) else None
            head = (text or "").split("\nParameters\n")[0]
            yield from head.split("\n\n")


def sentences(count):
    """`count` sentences of 5 to 40 words, each once."""
    found = {}
    for paragraph in _paragraphs():
        for sentence in _END.split(" ".join(paragraph.split())):
            plain = not re.search(r"[`:<>|=_*{}\[\]]", sentence) and sentence.endswith(".")
            if plain and 5 <= len(sentence.split()) <= 40:
                found.setdefault(sentence, None)
    if len(found) < count:
        raise ValueError(f"{len(found)} sentences in the documentation, expected at least {count}")
    return list(found)[:count]
