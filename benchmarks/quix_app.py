"""A process with Quix Streams, exactly once, doing what `null_agent` does. It runs in a virtual environment of its own.

Arguments: bootstrap servers, consumer group, input topic, two output topics.
"""

import sys

from quixstreams import Application  # type: ignore[import-not-found]

from benchmarks.null_work import answer

# Quix Streams' default is 5 s: no result would be visible for so long. 0.1 s keeps its latency near Edgewise's.
COMMIT_INTERVAL_S = 0.1

bootstrap, group, source, *targets = sys.argv[1:]
app = Application(
    bootstrap,
    consumer_group=group,
    auto_offset_reset="earliest",
    processing_guarantee="exactly-once",
    commit_interval=COMMIT_INTERVAL_S,
    producer_extra_config={"compression.type": "lz4", "linger.ms": 5},  # as Edgewise has it
    loglevel="WARNING",
)
stream = app.dataframe(app.topic(source, key_deserializer="bytes", value_deserializer="bytes")).apply(answer)
for target in targets:
    stream.to_topic(app.topic(target, key_serializer="bytes", value_serializer="bytes"))
app.run()
