# The server, for linux/amd64 and linux/arm64 (a Raspberry Pi). Nothing is compiled: all that needs a compiler comes as
# wheels, and pyDes, which has none, is a single file of Python.
#   docker build -t comptoir .
#   docker run -d -p 127.0.0.1:8000:8000 -v comptoir:/data -e COMPTOIR_BASE_URL=https://... comptoir

FROM python:3.13-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python -m venv /opt/comptoir
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY app app
COPY readers readers
COPY firmware_bridge firmware_bridge
COPY migrations migrations
RUN pip wheel --no-deps --wheel-dir dist . \
    && /opt/comptoir/bin/pip install --only-binary :all: --no-binary pydes \
        --constraint requirements.lock dist/comptoir-*.whl

FROM python:3.13-slim-trixie
# `comptoir backup` and `restore` call PostgreSQL's own programs. Time zones come with the Python package tzdata: this
# image may hold none. The version of the client is Debian's, so that security updates come in with every build.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /data --no-create-home --shell /usr/sbin/nologin comptoir \
    && install -d -o comptoir -g comptoir -m 0700 /data
COPY --from=build /opt/comptoir /opt/comptoir
ENV PATH=/opt/comptoir/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    COMPTOIR_DATA=/data \
    COMPTOIR_HOST=0.0.0.0
WORKDIR /data
# By number, so that a host which only accepts images without root can see that this is one.
USER 10001:10001
VOLUME /data
EXPOSE 8000
# Ready means that the database answers too; any other status than 200 makes urlopen raise.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('COMPTOIR_PORT', '8000')}/readyz\", timeout=4)"]
ENTRYPOINT ["comptoir"]
CMD ["serve"]
