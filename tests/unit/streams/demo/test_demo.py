from pathlib import Path

from streams.config.loading import load_settings
from streams.demo.demo import _secrets, _written


def test_the_demos_processes_get_its_settings_and_no_secret_is_in_a_file(tmp_path: Path) -> None:
    key = "hush-hush-4711"
    given = load_settings(
        None,
        {
            "EDGEWISE_CLOUD_BACKEND": "openai",
            "EDGEWISE_CLOUD_MODEL_NAME": "m",
            "EDGEWISE_CLOUD_API_KEY": key,
            "EDGEWISE_COMPLEXITY_THRESHOLD": "inf",
            "EDGEWISE_PRICES": '/home/\N{GRINNING FACE}/"prices".toml',
            "EDGEWISE_SENSITIVE_LOCAL": '[{"kinds": ["CARD"], "attributes": {"region": "eu"}}]',
        },
    )
    file = _written(given, tmp_path / "edgewise.toml")
    assert key not in file.read_text(encoding="utf-8")
    assert load_settings(file, _secrets(given)) == given
