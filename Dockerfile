# The report, built in a container and served on port 8000:
#
#   docker build -t tvae . && docker run --rm -p 8000:8000 tvae
#
# Other commands run in the same environment: docker run --rm -it tvae make test
FROM python:3.12-slim

RUN apt-get update && apt-get install --yes --no-install-recommends make git chromium && rm -rf /var/lib/apt/lists/* \
    && pip install --no-cache-dir uv

# Without CUDA the image is a few gigabytes smaller; for a GPU: --build-arg TORCH=auto
ARG TORCH=cpu
ENV UV_TORCH_BACKEND=${TORCH} UV_LINK_MODE=copy UV_CACHE_DIR=/tmp/uv

WORKDIR /tvae
COPY . .
RUN --mount=type=cache,target=/tmp/uv make env
RUN make book

EXPOSE 8000
CMD ["python", "-m", "http.server", "8000", "--directory", "_build/html"]
