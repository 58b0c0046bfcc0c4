"""What goes wrong in `benchmarks.planted`: a cloud that can fail, a price book, German texts, a model gone bad."""

import hashlib
import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from benchmarks.traffic import events
from models.artifact import MANIFEST, MODEL, load_artifact
from models.classifier import Classifier
from schemas.records import TranscriptEvent
from tests.http_server import Handler, Request

SERVED = "sentiment"
"""The model's name, as the service and the price book know it."""

GERMAN = (
    "Ich warte seit drei Wochen auf meine Bestellung, und niemand antwortet mir.",
    "Können Sie mir bitte sagen, wann der Techniker zu uns kommt?",
    "Vielen Dank, das hat wirklich sehr schnell geklappt.",
    "Die Rechnung stimmt schon wieder nicht, das ist jetzt das dritte Mal.",
    "Mein Anschluss ist seit gestern Abend gestört, was kann ich tun?",
    "Ich möchte meinen Vertrag zum Ende des Monats kündigen.",
    "Das Paket ist angekommen, aber die Hälfte der Sachen fehlt.",
    "Sehr freundlicher Mitarbeiter, er hat mir sofort geholfen.",
)


class Cloud:
    """The cloud model that ships, behind the Open Inference Protocol; while it `fails`, every answer is a 503."""

    def __init__(self) -> None:
        self.fails = False
        self._classifier = Classifier(load_artifact("cloud"))
        self._lock = threading.Lock()  # one caller at a time may use a classifier

    def __call__(self, handler: Handler, request: Request) -> None:
        """Answers one request."""
        if self.fails:
            return handler.send(503, b"{}")
        if request.method == "GET":
            inputs = [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
            return _send(handler, {"name": SERVED, "inputs": inputs})
        [asked] = request.body["inputs"]
        with self._lock:
            rows = self._classifier.score(asked["data"])
        output = {"name": "probabilities", "datatype": "FP32", "shape": list(rows.shape), "data": rows.ravel().tolist()}
        return _send(handler, {"model_name": SERVED, "model_version": "1", "outputs": [output]})


def _send(handler: Handler, body: dict[str, Any]) -> None:
    handler.send(200, json.dumps(body).encode())


def price_book(folder: Path, dollars: float) -> Path:
    """A book by which a call of the model, which is of one text, costs so many dollars."""
    path = folder / f"prices-{dollars:g}.toml"
    path.write_text(f'dated = 2026-11-29\n\n[[price]]\nmodel = "{SERVED}"\ncall = {dollars:f}\n')
    return path


def bad_model(folder: Path) -> Path:
    """The edge's artifact with its outputs in a wrong order: as sure as before, and called the same."""
    target = folder / "edge"
    good = load_artifact("edge").folder
    shutil.copytree(good, target)
    model = onnx.load(str(good / MODEL))
    [output] = model.graph.output
    for node in model.graph.node:
        node.output[:] = ["right" if name == output.name else name for name in node.output]
        node.input[:] = ["right" if name == output.name else name for name in node.input]
    order = numpy_helper.from_array(np.array([2, 0, 1]), "order")
    model.graph.initializer.append(order)
    model.graph.node.append(helper.make_node("Gather", ["right", "order"], [output.name], axis=1))
    onnx.save(model, str(target / MODEL))
    manifest = json.loads((good / MANIFEST).read_text())
    content = (target / MODEL).read_bytes()
    manifest["files"][MODEL] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (target / MANIFEST).write_text(json.dumps(manifest))
    return target


class Traffic:
    """The sample's texts over and over, each time as new events; while it is `german`, three of five are German."""

    def __init__(self) -> None:
        self.german = False
        self.sent = 0
        self._events = events()

    def next(self) -> TranscriptEvent:
        """One event more."""
        event = next(self._events)
        self.sent += 1
        if self.german and self.sent % 5 < 3:
            # Nobody says which language it is: the line finds out.
            return replace(event, text=GERMAN[self.sent % len(GERMAN)], language=None)
        return event
