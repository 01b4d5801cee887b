# Two stages: the first has the compiler, the second the program and the libraries it loads.
#
#   docker build -t backpropd .
#   docker run --read-only -v backpropd:/data -p 127.0.0.1:8080:8080 backpropd
#
# It listens on all of the container's addresses, so it makes a token at first start: docker exec CONTAINER cat /data/token
FROM debian:bookworm-slim AS build
COPY . /src
RUN cd /src && ./dev build && strip build/backpropd

FROM debian:bookworm-slim
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends \
      libmicrohttpd12 libcjson1 libsqlite3-0 libopenblas0-pthread libnettle8 zlib1g >/dev/null \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin backpropd \
 && install -d -o backpropd -g backpropd -m 0700 /data
COPY --from=build /src/build/backpropd /usr/local/bin/backpropd
USER 10001
VOLUME /data
EXPOSE 8080
# The image has no curl; bash opens the connection itself.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["bash", "-c", \
  "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /healthz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["backpropd"]
CMD ["serve", "--listen", "0.0.0.0:8080", "--data", "/data"]
