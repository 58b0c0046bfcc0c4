"""A temperature that is fitted, kept, and read again."""

from pathlib import Path

import numpy as np
import pytest

from models.backends.calibration import CalibrationError, fit, load_calibration
from models.backends.probabilities import tempered


def over_confident(temperature: float, n: int = 3000) -> tuple[list[tuple[float, float, float]], list[int]]:
    """Probabilities that a backend sharpens: the labels are drawn from `tempered(p, temperature)`."""
    random = np.random.default_rng(7)
    given = [(float(a), float(b), float(c)) for a, b, c in random.dirichlet((0.5, 0.5, 0.5), n)]
    labels = [int(random.choice(3, p=np.array(tempered(p, temperature)))) for p in given]
    return given, labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_made_the_labels_is_found(temperature: float) -> None:
    found = fit(*over_confident(temperature), model="m", fingerprint="f1")
    assert found.temperature == pytest.approx(temperature, rel=0.1)
    assert found.loss_after <= found.loss_before


def test_it_is_written_and_read(tmp_path: Path) -> None:
    made = fit(*over_confident(2.0, 50), model="m", fingerprint=None)
    file = tmp_path / "calibration.json"
    file.write_text(made.model_dump_json())
    assert load_calibration(str(file)) == made
    assert made.made_for == ("m", None)
    assert made.texts == 50


def test_too_few_texts_are_refused() -> None:
    with pytest.raises(CalibrationError, match="29 labelled texts"):
        fit(*over_confident(2.0, 29), model="m", fingerprint=None)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 2}', "\x00"])
def test_what_is_no_calibration_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "calibration.json"
    file.write_text(content)
    with pytest.raises(CalibrationError, match="no calibration") as refused:
        load_calibration(str(file))
    assert "\n" not in str(refused.value)
    with pytest.raises(CalibrationError, match="No such file"):
        load_calibration(str(tmp_path / "missing"))
