"""`edgewise cloud check` and `edgewise cloud calibrate`."""

from pathlib import Path
from typing import Annotated

import typer

cloud = typer.Typer(
    no_args_is_help=True,
    help="See whether the cloud backend answers, and make its probabilities honest.\n\n"
    "Example: [bold]edgewise cloud check[/]",
)


@cloud.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Ask the cloud backend about ten sample texts: reachable, authorised, capabilities, latency, tokens, dollars.

    The texts are Edgewise's own; a service may charge for them. Exit code 0 only when all ten are answered.

    Example: [bold]EDGEWISE_CLOUD_BACKEND=openai EDGEWISE_CLOUD_MODEL_NAME=gpt-4o-mini edgewise cloud check[/]
    """
    import asyncio
    import json

    from streams.cli.cloud_report import check_backend, in_words
    from streams.cli.context import start

    report = asyncio.run(check_backend(start()))
    print(json.dumps(report.as_dict()) if as_json else in_words(report))
    if not report.is_good:
        raise typer.Exit(1)


@cloud.command()
def calibrate(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A recording with labelled texts, or - for JSON lines.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where the calibration is written.")
    ] = Path("cloud-calibration.json"),
    text_column: Annotated[str, typer.Option(help="The column that holds the text.")] = "text",
    label_column: Annotated[
        str, typer.Option(help="The column that holds the label: negative, neutral or positive.")
    ] = "label",
    limit: Annotated[int, typer.Option(min=30, max=100_000, help="Most texts to ask about; a service charges.")] = 500,
) -> None:
    """Fit a temperature to the cloud backend's probabilities, on texts that people have labelled.

    The file that it writes is for the setting cloud_calibration. It holds for the model that answered, and no other.

    Example: [bold]edgewise cloud calibrate labelled.csv -o cloud-calibration.json[/]
    """
    import asyncio
    from itertools import islice

    from streams.cli.cloud_report import calibrate_backend
    from streams.cli.context import start
    from streams.cli.output import text_output
    from streams.files.labelled import labelled
    from streams.files.recording import read_recording

    settings = start()
    rows = read_recording(file, columns={"text": text_column}, file_format="jsonl" if file == "-" else None)
    texts = list(islice(labelled(rows, label_column), limit))
    with text_output(output, file) as out:  # what can't be written there shall cost nothing
        made = asyncio.run(calibrate_backend(settings, texts))
        out.write(made.calibration.model_dump_json(indent=2) + "\n")
    calibration = made.calibration
    others = f", {made.of_others:,} by another version" if made.of_others else ""
    print(
        f"{output}: temperature {calibration.temperature:g} for {calibration.model}@{calibration.fingerprint}, from "
        f"{calibration.texts:,} texts ({made.unanswered:,} without an answer{others}), {made.dollars:.4f} dollars\n"
        f"accuracy {calibration.accuracy:.3f}; mean negative log-likelihood {calibration.loss_before:.3f} before, "
        f"{calibration.loss_after:.3f} after"
    )
    if calibration.is_at_its_limit:
        print(
            "the temperature is as high as any is tried: this model's probabilities say next to nothing of such texts"
        )
