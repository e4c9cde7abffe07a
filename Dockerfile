# Sigap in a container: first build the wheel with its screens, then install it beside the locked packages.
FROM python:3.13-slim-bookworm AS build
WORKDIR /src
COPY .ci/locks/up.txt .ci/locks/up.txt
RUN pip install --no-cache-dir --require-hashes --prefer-binary -r .ci/locks/up.txt
COPY . .
RUN python -m hatchling build -t wheel -d /wheels

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/sigap sigap
COPY .ci/locks/run.txt /tmp/run.txt
RUN pip install --no-cache-dir --require-hashes --prefer-binary -r /tmp/run.txt
COPY --from=build /wheels /tmp/wheels
RUN pip install --no-cache-dir --no-deps --no-index /tmp/wheels/*.whl && rm -r /tmp/wheels /tmp/run.txt

USER sigap
WORKDIR /var/lib/sigap
ENV SIGAP_HOST=0.0.0.0 \
    SIGAP_PORT=8000 \
    SIGAP_DATA_DIR=/var/lib/sigap/data \
    PYTHONUNBUFFERED=1
RUN mkdir data
VOLUME /var/lib/sigap/data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
CMD ["sigap", "up"]
