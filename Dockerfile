# The version here is the one that deno.json is tested with (README.md, .github/workflows/).
FROM --platform=$BUILDPLATFORM denoland/deno:2.9.6 AS build
ARG TARGETARCH
WORKDIR /source
COPY deno.json deno.lock main.ts ./
COPY scripts/ scripts/
COPY examples/*.json examples/
COPY src/ src/
RUN case "$TARGETARCH" in \
      amd64) target=x86_64-unknown-linux-gnu ;; \
      arm64) target=aarch64-unknown-linux-gnu ;; \
      *) echo "No executable for the architecture \"$TARGETARCH\": amd64 or arm64 is needed" >&2; exit 1 ;; \
    esac && \
    deno task compile --target "$target" --output /source/dist/otlp-histogram

# The executable needs the C library and libgcc, and brings its own certificates.
FROM gcr.io/distroless/cc-debian13:nonroot
LABEL org.opencontainers.image.title="otlp-histogram" \
      org.opencontainers.image.description="Sends histogram metrics to Dynatrace or any OTLP receiver, and reports whether they were accepted" \
      org.opencontainers.image.source="https://github.com/ihudak/otlp_histogram" \
      org.opencontainers.image.documentation="https://github.com/ihudak/otlp_histogram#readme" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /source/dist/otlp-histogram /usr/local/bin/otlp-histogram
COPY LICENSE THIRD-PARTY-LICENSES /licenses/
ENTRYPOINT ["/usr/local/bin/otlp-histogram"]
CMD ["--loop"]
