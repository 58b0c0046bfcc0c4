"""`edgewise page`."""


def page() -> None:
    """Serve the live page until Ctrl-C or SIGTERM: health, cost, alerts, conversations by risk, events.

    It only reads. It listens at 127.0.0.1; for others it takes a token, or a proxy that knows its users.

    Example: [bold]edgewise page[/]

    Example: [bold]EDGEWISE_PAGE_HOST=0.0.0.0 EDGEWISE_PAGE_TOKEN_FILE=token edgewise page[/]
    """
    import asyncio

    from streams.cli.context import start
    from streams.web.live.server import serve

    asyncio.run(serve(start()))
