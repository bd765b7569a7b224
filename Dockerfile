# The dashboard for everybody who reaches the port:
#   docker build --tag mlxc . && docker run --publish 8866:8866 --volume mlxc-runs:/runs mlxc
FROM python:3.11-slim

# PySCF has no wheel for every platform, and PyTorch wants the OpenMP library.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential cmake libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 mlxc \
    && install --directory --owner=mlxc /runs /srv/mlxc

WORKDIR /srv/mlxc
COPY --chown=mlxc . .
USER mlxc
ENV PATH=/home/mlxc/.local/bin:$PATH MLXC_RUNS=/runs

RUN pip install --user --no-cache-dir --constraint constraints.txt '.[app]'

EXPOSE 8866
CMD ["mlxc", "app", "--host", "0.0.0.0", "--no-browser", "--max-ecut", "60", "--max-atoms", "16", "--max-seconds", "600"]
