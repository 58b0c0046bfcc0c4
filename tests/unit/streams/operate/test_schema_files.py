import json
from pathlib import Path

import pytest

from schemas.codec import CONFLUENT_HEADER
from schemas.errors import UsageError
from schemas.released import AVRO_FOLDER, released_schemas
from schemas.topics import SENTIMENT, TOPICS
from streams.config.codecs import codec, registry
from streams.config.settings import Settings
from streams.operate.schema_files import export, register
from tests.events import RESULT


def test_every_released_schema_is_written_as_it_is(tmp_path: Path) -> None:
    files = export(tmp_path / "avro")

    released = {(version, topic) for topic in TOPICS for version in released_schemas(topic)}
    assert {(int(file.parent.name[1:]), file.stem) for file in files} == released
    for file in files:
        assert file.read_bytes() == (AVRO_FOLDER / file.parent.name / file.name).read_bytes()
        assert json.loads(file.read_text())["type"] == "record"


def test_writing_them_again_is_no_mistake(tmp_path: Path) -> None:
    assert export(tmp_path) == export(tmp_path)


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "avro").write_text("mine")

    with pytest.raises(UsageError, match="avro can't be written to"):
        export(tmp_path / "avro")
    assert (tmp_path / "avro").read_text() == "mine"


def test_every_release_of_a_topic_is_registered_and_the_last_is_what_is_written() -> None:
    settings = Settings(schema_registry_url="mock://every-release", topic_prefix="here-")
    found = register(settings)

    assert [each.version for each in found] == sorted(each.version for each in found)
    assert {each.subject for each in found} == {f"here-{topic}-value" for topic in TOPICS}
    client = registry(settings)
    assert client is not None
    ids = {each.version: each.id for each in found if each.subject == "here-sentiment-value"}
    for version, schema in released_schemas(SENTIMENT).items():
        registered = client.get_schema(ids[version]).schema_str
        assert registered is not None
        assert json.loads(registered) == schema
    _, written_with = CONFLUENT_HEADER.unpack(codec(settings, SENTIMENT).encode(RESULT)[: CONFLUENT_HEADER.size])
    assert written_with == ids[max(ids)]


def test_without_a_registry_the_setting_is_named() -> None:
    with pytest.raises(UsageError, match="EDGEWISE_SCHEMA_REGISTRY_URL"):
        register(Settings())
