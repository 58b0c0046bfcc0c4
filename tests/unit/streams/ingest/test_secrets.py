"""Secrets in a folder: who is there, several at once, replaced while the server runs."""

from pathlib import Path

import pytest

from schemas.errors import UsageError
from streams.ingest.secrets import Secrets
from tests.door import SECRET, TOKEN, secrets_folder


def test_a_file_holds_a_secret_a_line_and_all_are_valid(tmp_path: Path) -> None:
    secrets = Secrets(str(secrets_folder(tmp_path, zoom="one\n\n  two  \r\n", tokens="a\nb")))
    assert secrets.of("zoom") == ("one", "two")
    assert secrets.of("twilio") == (SECRET,)
    (tmp_path / "twilio").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\n")  # as editors on Windows begin a file
    assert secrets.of("twilio") == ("one", "two")
    assert [secrets.is_token(token) for token in ("a", "b", "c", "", "a\nb", "ä\udcff")] == [True, True] + [False] * 4


def test_what_is_written_into_a_file_counts_from_then_on(tmp_path: Path) -> None:
    secrets = Secrets(str(secrets_folder(tmp_path)))
    assert secrets.is_token(TOKEN)
    (tmp_path / "next").write_text("new\n")
    (tmp_path / "next").replace(tmp_path / "tokens")
    assert [secrets.is_token("new"), secrets.is_token(TOKEN)] == [True, False]
    (tmp_path / "tokens").unlink()
    assert not secrets.is_token("new")
    assert secrets.of("zoom") == (SECRET,)


def test_a_vendor_without_a_file_has_no_secret_and_dotted_names_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "..data").mkdir()
    (tmp_path / "zoom").write_text("one")
    secrets = Secrets(str(tmp_path))
    assert secrets.of("chatwoot") == ()
    assert not secrets.is_token("")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "which holds no secret"),
        ({"zoom": "\n \n"}, "which holds no secret"),
        ({"zom": "x"}, r"has a file 'zom': there are tokens, zoom, twilio"),
    ],
)
def test_a_folder_that_lets_nobody_in_is_refused(tmp_path: Path, files: dict[str, str], said: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(UsageError, match=said):
        Secrets(str(tmp_path))


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="set EDGEWISE_INGEST_SECRETS_FOLDER"):
        Secrets(None)
    with pytest.raises(UsageError, match="can't be read: No such file"):
        Secrets(str(tmp_path / "none"))
