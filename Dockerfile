# docker build -t fairmot_dla34 .
# docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/videos" fairmot_dla34 track street.mp4 --output-dir out --weights sample

# The first stage has the compiler of the operator for deformable convolutions; the image that runs has none.
FROM python:3.11-slim-bookworm AS build
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN python -m venv /opt/fairmot_dla34 && /opt/fairmot_dla34/bin/pip install --no-cache-dir .

FROM python:3.11-slim-bookworm
# Debian removes old versions of packages, so none is pinned.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/fairmot_dla34 /opt/fairmot_dla34
# Weights and compiled networks; everybody may write, because --user names any user. Mount a volume to keep them.
RUN mkdir -m 1777 /cache
ENV PATH=/opt/fairmot_dla34/bin:$PATH FAIRMOT_DLA34_HOME=/cache
WORKDIR /videos
USER 1000:1000
ENTRYPOINT ["fairmot_dla34"]
CMD ["--help"]
