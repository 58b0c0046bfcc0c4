"""Fuzzing led by coverage, with atheris (libFuzzer): python -m tests.fuzz.atheris_run TARGET [libFuzzer's options]

    make fuzz                                        every target for a minute
    make fuzz FUZZ_SECONDS=600 FUZZ_TARGETS=codec    one of them for longer

The corpus that it finds is kept in build/fuzz/corpus. An input that breaks a promise is written to build/fuzz, and the
way to try it again is printed; make it a test when the fault is mended.
"""

import hashlib
import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]

with atheris.instrument_imports(include=["schemas", "recordings", "streams", "fastavro", "tests.fuzz"]):
    from tests.fuzz.targets import SEEDS, TARGETS

FOLDER = Path("build/fuzz")


def main() -> None:
    """Fuzzes one target until the options say stop; exit code 77 when a promise is broken."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(
            f"usage: python -m tests.fuzz.atheris_run {{{','.join(TARGETS)}}} [-max_total_time=60] [-runs=N] [FILE]"
        )
    target, options = sys.argv[1], sys.argv[2:]
    corpus = FOLDER / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in SEEDS[target]:
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    again = any(not option.startswith("-") for option in options)
    folders = [] if again else [str(corpus)]
    prefix = f"-artifact_prefix={FOLDER}/{target}-"
    atheris.Setup([sys.argv[0], prefix, "-max_len=2048", "-timeout=20", *options, *folders], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
