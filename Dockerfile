# syntax=docker/dockerfile:1
#
#   docker build -t keytrail .
#   docker run --rm -u "$(id -u):$(id -g)" -v "$PWD:/data" keytrail keys --trail AWSLogs

FROM rust:1-bookworm AS build
WORKDIR /src
COPY . .
# The target folder is a cache of the builder, so that a changed source does not build the dependencies again.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked && cp target/release/keytrail /keytrail

# glibc, libgcc and the certificate authorities; no shell, and a user that is not root.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /keytrail /usr/local/bin/keytrail
COPY LICENSE-APACHE LICENSE-MIT /usr/share/doc/keytrail/
WORKDIR /data
ENTRYPOINT ["/usr/local/bin/keytrail"]
CMD ["--help"]
