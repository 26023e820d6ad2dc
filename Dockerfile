# The product as one image; docker-compose.yml runs each of its processes from it.
FROM python:3.11.13-slim-bookworm AS build
WORKDIR /src
COPY requirements/build.lock requirements/base.lock requirements/
RUN python -m venv /app \
    && /app/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r requirements/base.lock \
    && pip install --no-cache-dir --no-deps --require-hashes -r requirements/build.lock
COPY pyproject.toml README.md LICENSE intercom-streams.example.toml ./
COPY schemas schemas
COPY connectors connectors
COPY streams streams
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
    && /app/bin/pip install --no-cache-dir --no-deps /wheel/*.whl

FROM python:3.11.13-slim-bookworm
COPY --from=build /app /app
RUN useradd --uid 10001 --create-home product && install -d -o product /var/lib/intercom-streams/spool
USER product
ENV PYTHONUNBUFFERED=1
ENTRYPOINT ["/app/bin/intercom-streams"]
