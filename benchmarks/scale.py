"""How much is measured: in full, for figures to quote, or a little, to see that everything runs."""

import argparse
from dataclasses import dataclass
from pathlib import Path

BROKERS = ("kafka", "embedded")

# While the JVM of a new broker compiles what transactions run through, it takes more than a core: at 200 events/s the
# median latency fell from 69 to 16 ms in the first 40 s on a machine of two cores, and hardly further.
WARM_UP_S = 45.0


@dataclass(frozen=True, slots=True)
class Scale:
    """What a run measures with."""

    edge_model: str
    cloud_model: str
    brokers: tuple[str, ...]
    repetitions: int
    run_s: float  # aim for the steady state of one run of the line
    window_s: float  # of measuring latency at one rate
    warm_up_s: float  # of traffic on a new broker before latency is measured
    delivery_events: int
    quick: bool


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options that all measurements share."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--quick", action="store_true", help="a smoke run: one repetition of a few seconds each")
    options.add_argument("--edge-model", default="edge", help="artifact of the edge model: a name or a folder")
    options.add_argument("--cloud-model", default="cloud", help="artifact of the cloud model: a name or a folder")
    options.add_argument("--broker", choices=BROKERS, action="append", help="only on this broker; default: on both")
    return options


def scale(options: argparse.Namespace) -> Scale:
    """What `options` ask for. In full, all measurements together take some twenty-five minutes."""
    quick: bool = options.quick
    return Scale(
        edge_model=_from_anywhere(options.edge_model),
        cloud_model=_from_anywhere(options.cloud_model),
        brokers=tuple(options.broker or BROKERS),
        repetitions=1 if quick else 3,
        run_s=3.0 if quick else 15.0,
        window_s=2.0 if quick else 6.0,
        warm_up_s=2.0 if quick else WARM_UP_S,
        delivery_events=40_000 if quick else 300_000,
        quick=quick,
    )


def _from_anywhere(model: str) -> str:
    """A folder by its full path: workers run in a folder of their own. A name stays as it is."""
    return str(Path(model).resolve()) if Path(model).name != model else model
