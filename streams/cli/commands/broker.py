"""`edgewise broker`."""

from typing import Annotated

import typer


def broker(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port on 127.0.0.1.")] = 9092,
) -> None:
    """Run the embedded broker until Ctrl-C: Kafka's protocol, everything in memory.

    For trying things out: what it holds is gone when it ends, and delivery is at least once on it, exactly once only
    on Kafka.

    Example: [bold]edgewise broker --port 9092[/]
    """
    import signal

    from schemas.errors import EdgewiseError
    from streams.kafka.embedded_broker import EmbeddedBroker

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both end it in the same orderly way
    try:
        with EmbeddedBroker(port) as running:
            print(f"Broker at {running.bootstrap_servers}, in memory. Ctrl-C stops it.", flush=True)
            status = running.wait()
            raise EdgewiseError(f"the broker ended by itself (exit status {status}): {running.log_tail()}")
    except KeyboardInterrupt:
        print("Stopped.")
