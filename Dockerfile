# One image for every worker: `docker build -t edgewise .`

FROM python:3.13-slim AS build
# faust-streaming has no wheel for Linux on arm64; on amd64 everything comes as wheels and the compiler is not used.
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /build
RUN python -m venv /opt/edgewise
COPY requirements-runtime.lock ./
RUN /opt/edgewise/bin/pip install --no-cache-dir --require-hashes -r requirements-runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY edgewise ./edgewise
COPY schemas ./schemas
COPY recordings ./recordings
COPY models ./models
COPY streams ./streams
COPY training ./training
COPY samples ./samples
RUN /opt/edgewise/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN groupadd --system --gid 10001 edgewise && useradd --system --uid 10001 --gid 10001 --no-create-home edgewise
COPY --from=build /opt/edgewise /opt/edgewise
ENV PATH=/opt/edgewise/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    EDGEWISE_METRICS_HOST=0.0.0.0 \
    EDGEWISE_METRICS_PORT=9464 \
    EDGEWISE_INGEST_HOST=0.0.0.0 \
    EDGEWISE_PAGE_HOST=0.0.0.0
# By number: a platform that lets nobody run as root (Kubernetes: runAsNonRoot) cannot tell who a name is.
USER 10001:10001
WORKDIR /tmp
EXPOSE 9464
# Healthy: the group is joined, a broker answers, no batch is stuck.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['EDGEWISE_METRICS_PORT'] + '/readyz', timeout=4)"]
ENTRYPOINT ["edgewise"]
CMD ["worker"]
