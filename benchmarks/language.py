"""How well a text's language is told, by its length, and what that costs.

    python -m benchmarks.language DATA SENTENCES

DATA holds English texts: `airline/train.csv` and `multidogo/*.dev.jsonl`, by which the thresholds are chosen, and
`airline/dev.csv` and `care/dev.jsonl`, on which they are tried. SENTENCES is `language-models` of
https://github.com/pemistahl/lingua-rs (Apache-2.0), whose `XX/testdata/*.txt` hold a thousand sentences, pairs of words
and words a language, of the Wortschatz corpora of Leipzig University.
"""

import csv
import json
import resource
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median
from time import thread_time_ns

from models.language_detection import LANGUAGES, LEAST_BYTES, SURE, detect, likeliest
from models.languages import words

ODDS = (2, 5, 10, 20, 50, 100, 200, 500, 1000)
AT_MOST = 0.002  # of English texts may be taken for another language
BANDS = (*sorted(least for least, _ in SURE), 100)
FILES = ("sentences", "word-pairs", "single-words")
SCRIPTS = {"no": "nb"}  # as that repository names them
WORDS = (2, 3, 5, 8, 100)  # sentences are cut to so many, so that there are some of every length
PER_FILE = 300
# A text of the set that is not English; it is not wrongly refused.
NOT_ENGLISH = ("ICH HABE KEIN BOCK",)


def main() -> None:
    """Prints the thresholds, the English texts that are refused, the accuracy by length, and the cost."""
    data, sentences = map(Path, sys.argv[1:3])
    chosen_on = [*_csv(data / "airline" / "train.csv"), *_turns(sorted((data / "multidogo").glob("*.dev.jsonl")))]
    _choose(chosen_on)
    print("\nEnglish texts taken for another language, of sets that nothing was chosen by:")
    tried = {"airline, dev": _csv(data / "airline" / "dev.csv"), "care": _turns([data / "care" / "dev.jsonl"])}
    for name, texts in tried.items():
        _refused(name, [text for text in texts if not any(other in text for other in NOT_ENGLISH)])
    print("\n| bytes of letters | texts | right | another language | taken for English | not told |")
    print("|---|---|---|---|---|---|")
    _accuracy(list(_foreign(sentences)))
    _cost(tried["airline, dev"])


def _choose(texts: Sequence[str]) -> None:
    odds: dict[int, list[float]] = {band: [] for band in BANDS}
    for text in texts:
        found = [word.lower() for word in words(text)]
        size = _size(text)
        if size >= LEAST_BYTES:
            language, times = likeliest(" ".join(found)) if detect(text) != "en" else ("en", 1.0)
            odds[_band(size)].append(0.0 if language == "en" else times)
    print(f"Times as likely as English, the least of {ODDS} at which {AT_MOST:.1%} of English texts are refused:")
    for band, found_odds in odds.items():
        least = next((o for o in ODDS if sum(each >= o for each in found_odds) <= AT_MOST * len(found_odds)), None)
        print(f"  from {band} bytes: {least} ({len(found_odds):,} texts); in force: {_in_force(band)}")


def _in_force(band: int) -> float:
    return next(odds for least, odds in SURE if band >= least)


def _refused(name: str, texts: Sequence[str]) -> None:
    found = Counter(detect(text) for text in texts)
    other = sum(count for language, count in found.items() if language not in {"en", None})
    print(f"  {name}: {other} of {len(texts):,} ({other / len(texts):.2%}); {found[None]:,} not told")


def _accuracy(texts: Sequence[tuple[str, str]]) -> None:
    bands: dict[int, Counter[str]] = {band: Counter() for band in BANDS}
    for language, text in texts:
        size = _size(text)
        if size >= LEAST_BYTES:
            told = detect(text)
            what = "right" if told == language else "none" if told is None else "English" if told == "en" else "other"
            bands[_band(size)][what] += 1
    ends = [f" to {following - 1}" for following in BANDS[1:]] + [" or more"]
    for (band, found), end in zip(bands.items(), ends, strict=True):
        shares = " | ".join(f"{found[what] / found.total():.1%}" for what in ("right", "other", "English", "none"))
        print(f"| {band}{end} | {found.total():,} | {shares} |")


def _cost(texts: Sequence[str]) -> None:
    rounds = []
    for _ in range(7):
        begun = thread_time_ns()
        for text in texts:
            detect(text)
        rounds.append((thread_time_ns() - begun) / len(texts) / 1000)
    import py3langid

    size = sum(file.stat().st_size for file in Path(py3langid.__file__).parent.rglob("*") if file.is_file())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"\nAn English text: {median(rounds):.0f} us of processor on average ({min(rounds):.0f} to {max(rounds):.0f})."
    )
    print(f"py3langid: {size / 1e6:.1f} MB on disk; this process at most {peak:.0f} MB.")


def _size(text: str) -> int:
    return sum(len(word.encode("utf-8", "replace")) for word in words(text))


def _band(size: int) -> int:
    return max(band for band in BANDS if size >= band)


def _foreign(folder: Path) -> Iterator[tuple[str, str]]:
    for language in LANGUAGES:
        source = folder / SCRIPTS.get(language, language) / "testdata"
        if language == "en" or not source.is_dir():
            continue
        for name in FILES:
            lines = (source / f"{name}.txt").read_text("utf-8").splitlines()[:PER_FILE]
            for line in filter(None, map(str.strip, lines)):
                parts = line.split()
                cuts = {" ".join(parts[:most]) for most in WORDS} if name == "sentences" else {line}
                yield from ((language, cut) for cut in cuts)


def _csv(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8") as file:
        return [row["text"] for row in csv.DictReader(file)]


def _turns(paths: Iterable[Path]) -> list[str]:
    texts = []
    for path in paths:
        for line in path.read_text("utf-8").splitlines():
            texts += [turn if isinstance(turn, str) else turn["text"] for turn in json.loads(line)["turns"]]
    return texts


if __name__ == "__main__":
    main()
