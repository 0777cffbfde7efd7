# benchbook for continuous integration: it checks, renders, compares and publishes articles. Measuring is better done beside an
# engine than in one.
#
#   make image
#   docker run --rm -v "$PWD:/work" -u "$(id -u):$(id -g)" benchbook render
ARG BASE=debian:bookworm-slim
FROM ${BASE}
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates git && rm -rf /var/lib/apt/lists/* && \
	useradd --uid 1000 --create-home benchbook && install -d -o benchbook /work
COPY bin/benchbook /usr/local/bin/benchbook
# The folder may belong to another user of the host.
RUN git config --system --add safe.directory /work
USER 1000
WORKDIR /work
ENTRYPOINT ["benchbook"]
