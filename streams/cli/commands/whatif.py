"""`edgewise whatif`."""

from pathlib import Path
from typing import Annotated

import typer


def whatif(  # noqa: PLR0913, PLR0917 - an option each
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="Decisions that `edgewise consume routing-events` printed, - for standard input. Default: the topic.",
        ),
    ] = None,
    threshold: Annotated[
        list[float] | None,
        typer.Option(min=0, max=1, metavar="CONFIDENCE", help="Try it; may be repeated. Default: ten of them."),
    ] = None,
    policy: Annotated[
        list[str] | None, typer.Option(metavar="NAME|FILE", help="Try this policy too: default, article or a file.")
    ] = None,
    complexity_threshold: Annotated[
        float | None, typer.Option(min=0, help="Try this threshold on complexity. Default: the settings' policy's.")
    ] = None,
    random_rate: Annotated[
        float | None, typer.Option(min=0, max=1, help="Try a random sample of this share. Default: as above.")
    ] = None,
    edge_price: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="Dollars for an event on the edge. Default: as recorded.")
    ] = None,
    cloud_price: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="Dollars for a call of the cloud. Default: as recorded.")
    ] = None,
    price_of: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="What this model costs by the price book, in place of --cloud-price."),
    ] = None,
    input_price: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="Dollars for a million tokens in, in place of it.")
    ] = None,
    output_price: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="Dollars for a million tokens out.")
    ] = None,
    cached_price: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="Dollars for a million tokens from a cache.")
    ] = None,
    budget_per_hour: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="Most dollars for the cloud in an hour.")
    ] = None,
    budget_per_day: Annotated[float | None, typer.Option(min=0, metavar="USD", help="The same in a day, UTC.")] = None,
    budget_per_month: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="The same in a calendar month.")
    ] = None,
    events_per_day: Annotated[
        float | None, typer.Option(min=1, help="Events of a day. Default: at the rate of the recording.")
    ] = None,
    at_most_usd_per_day: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="Find the best threshold that costs no more.")
    ] = None,
    at_least_agreement: Annotated[
        float | None,
        typer.Option(min=0.5, max=0.9999, help="Find the cheapest threshold whose kept answers agree so often."),
    ] = None,
    confidence: Annotated[
        float, typer.Option(min=0.5, max=0.9999, help="Of intervals, and of what is found by agreement.")
    ] = 0.95,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw agreement over the cloud's share, as SVG.")
    ] = None,
    start_at: Annotated[
        str | None, typer.Option("--from", metavar="WHERE", help="Only decisions from this time on: ISO 8601, -7d, …")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only decisions recorded before it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Tell what other thresholds, prices and budgets would have made of recorded decisions.

    For each: the edge's share, dollars, and how often the edge's answers agree with the cloud, with an interval.

    Example: [bold]edgewise whatif --from -7d --at-most-usd-per-day 40[/]

    Example: [bold]edgewise whatif decisions.jsonl --cloud-price 0.002 --at-least-agreement 0.97[/]

    Example: [bold]edgewise whatif decisions.jsonl --threshold 0.6 --threshold 0.8 --budget-per-day 25 --json[/]
    """
    from models.artifact import load_artifact
    from schemas.errors import UsageError
    from streams.cli.context import start
    from streams.cli.decision_options import read_decisions
    from streams.cli.output import text_output
    from streams.cli.plot import svg_plot
    from streams.cli.price_option import book_prices
    from streams.cli.whatif_report import Report, as_text, axes
    from streams.config.routing import build_router
    from streams.monitoring.agreement import Curve
    from streams.monitoring.best_policy import best_policy
    from streams.monitoring.call_costs import Prices, call_costs, edge_cost
    from streams.monitoring.what_if import Budget, WhatIf, recorded_a_day
    from streams.system.json_text import json_text

    if (input_price is None) != (output_price is None):
        raise UsageError("--input-price and --output-price belong together: give both or neither")
    if cached_price is not None and input_price is None:
        raise UsageError("--cached-price goes with --input-price and --output-price: give these too")
    if sum(each is not None for each in (input_price, cloud_price, price_of)) > 1:
        raise UsageError("--cloud-price, --input-price and --price-of: a call has one price, give one of them")
    settings = start()
    edge = load_artifact(settings.edge_model)
    base = build_router(settings, edge).changed(
        complexity_threshold=complexity_threshold, random_cloud_rate=random_rate
    )
    decisions = read_decisions(settings, file, start_at, until)
    if not decisions.span_ms:
        raise UsageError("all decisions have the same time: there is no rate of events to go by, record for longer")
    prices = Prices(edge_price, cloud_price, input_price, output_price, cached_price)
    if price_of is not None:
        prices = book_prices(settings, price_of, edge_price)
    what_if = WhatIf(
        decisions,
        edge_usd=edge_cost(decisions, prices.edge_usd, settings.edge_price_usd),
        call_usd=call_costs(decisions, prices, settings.cloud_price_usd),
        events_a_day=events_per_day or recorded_a_day(decisions),
        budget=Budget(budget_per_hour, budget_per_day, budget_per_month),
        confidence=confidence,
    )
    tried = threshold or Curve(decisions, base.complexity_threshold).thresholds(10)
    policies = [
        base,
        *(build_router(settings.model_copy(update={"router": each}), edge) for each in policy or []),
        *(base.changed(confidence_threshold=each) for each in tried),
    ]
    outcomes = sorted(map(what_if.outcome, policies), key=lambda each: -each.policy.confidence_threshold)
    best = None
    if at_most_usd_per_day is not None or at_least_agreement is not None:
        best = best_policy(what_if, base, at_most_usd_a_day=at_most_usd_per_day, at_least_agreement=at_least_agreement)
    report = Report(what_if, outcomes, base, best)
    if plot is not None:
        with text_output(plot, file or "-") as out:
            out.write(svg_plot(axes(report)))
    print(json_text(report.as_dict()) if as_json else as_text(report))
