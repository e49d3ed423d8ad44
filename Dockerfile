# Daybook's image: the public Airflow image, the locked packages, and this checkout's code. It holds no secret.
# By digest: --build-arg BASE_IMAGE=apache/airflow@sha256:…
ARG BASE_IMAGE=apache/airflow:slim-3.3.2-python3.11
FROM ${BASE_IMAGE}
WORKDIR /opt/airflow

# Which Daybook it is: a release says both.
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Daybook" \
      org.opencontainers.image.description="Tables and delivered files into published daily summaries" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# What runs, and no test tool: the pins of requirements.txt above its last heading. The lock says the version and the
# hashes of every package that they need; one that it does not name is refused.
COPY --chown=50000:0 requirements.txt requirements.lock ./
RUN sed -n '/^# Tests and checks/q; /==/p' requirements.txt | \
    uv pip install --no-cache --compile-bytecode --require-hashes --requirement - --constraint requirements.lock

# With KubernetesExecutor, what the scheduler needs to make pods.
ARG KUBERNETES=no
COPY --chown=50000:0 requirements-kubernetes.lock ./
RUN [ "$KUBERNETES" != yes ] || uv pip install --no-cache --compile-bytecode --no-deps --require-hashes \
    --requirement requirements-kubernetes.lock

COPY --chown=50000:0 config config
COPY --chown=50000:0 dags dags
COPY --chown=50000:0 include include
COPY --chown=50000:0 plugins plugins

# A new volume takes the owner and mode of the folder that it covers. Any user of group 0 may run the image, as with the
# public one, whatever the modes in the checkout were.
RUN mkdir -p data logs redis source \
 && chmod g+rwX data logs redis source \
 && chmod -R g+rX config dags include plugins \
 && python -m compileall -q config dags include plugins

# Airflow asks for its user's name, which a user who is in no file of the image has from here only.
ENV USER=airflow \
    PYTHONPATH=/opt/airflow/include:/opt/airflow/config \
    DAYBOOK_DATA=file:///opt/airflow/data
