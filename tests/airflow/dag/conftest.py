"""Airflow, which the tests here import into their own process, keeps its files out of the person's home."""

import os
import tempfile

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))
