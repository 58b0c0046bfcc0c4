"""The worker of a release to come: it knows, and writes, a version of the schemas that the others do not know.

python -m tests.faults.next_worker worker edge
"""

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from schemas import released
from streams.cli.main import main
from tests.faults.orders import FOLDER

SCHEMAS = "avro"
_NEW_REASON = "reason_to_come"


def release(folder: Path, topics: Iterable[str]) -> None:
    """Put the released schemas into `folder`, for the workers started there, and one more version of those of `topics`.

    In that one `reason` has a new symbol in front, which moves the number of every other: what is read with the wrong
    version is read wrongly.
    """
    shutil.copytree(released.AVRO_FOLDER, folder / SCHEMAS)
    versions = {topic: released.released_schemas(topic) for topic in topics}
    newest = max(max(of_topic) for of_topic in versions.values()) + 1
    (folder / SCHEMAS / f"v{newest}").mkdir()
    for topic, of_topic in versions.items():
        schema = of_topic[max(of_topic)]
        [reason] = [field["type"] for field in schema["fields"] if field["name"] == "reason"]
        reason["symbols"].insert(0, _NEW_REASON)
        (folder / SCHEMAS / f"v{newest}" / f"{topic}.avsc").write_text(json.dumps(schema))


if __name__ == "__main__":
    released.AVRO_FOLDER = Path(os.environ[FOLDER]) / SCHEMAS
    main()
