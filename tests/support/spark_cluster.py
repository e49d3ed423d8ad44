"""A standalone Spark cluster on free ports of 127.0.0.1: a master and its workers, each a process of its own."""

import os
import re
import subprocess
import time
from pathlib import Path

import psutil
import pyspark

SECONDS = 120
HOME = Path(pyspark.__file__).parent
# A short-lived process gains nothing by the second compiler.
LIGHT = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m")


class SparkCluster:
    """A running cluster. address: of its master."""

    def __init__(self, folder: Path, workers: int) -> None:
        """Start a master and workers of one core each. folder: for their logs and scratch files."""
        self.folder, self._processes = folder, dict[str, subprocess.Popen[bytes]]()
        self._start("master", "master.Master", "--port", "0")
        (self.address,) = self._said("master", r"Starting Spark master at (spark://\S+)")
        for number in range(1, workers + 1):
            self.start_worker(f"worker_{number}")

    def start_worker(self, name: str) -> None:
        """Start a worker, and wait until the master knows it."""
        place = self.folder / name
        self._start(name, "worker.Worker", "--cores", "1", "--memory", "1g", "--work-dir", f"{place}", self.address)
        self._said(name, r"Successfully registered with master (\S+)")

    def kill_worker(self, name: str) -> None:
        """Let a worker's machine be gone: the worker and all that it started, at once."""
        of_worker = psutil.Process(self._processes[name].pid)
        for process in (*of_worker.children(recursive=True), of_worker):
            process.kill()
        self._processes.pop(name).wait()

    def stop(self) -> None:
        """Stop all that is left of it."""
        for name in list(self._processes):
            self.kill_worker(name)

    def _start(self, name: str, kind: str, *words: str) -> None:
        command = ["java", *LIGHT, "-cp", f"{HOME}/jars/*", f"org.apache.spark.deploy.{kind}"]
        # What Spark's own scripts would set; they begin with a Java of their own, whose number is not the server's.
        spark = {"SPARK_HOME": str(HOME), "SPARK_SCALA_VERSION": "2.13", "SPARK_LOCAL_IP": "127.0.0.1"}
        environment = os.environ | spark
        with self._log(name).open("wb") as log:
            self._processes[name] = subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--webui-port", "0", *words],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _said(self, name: str, words: str) -> list[str]:
        """Wait until a process logs some words; return their groups."""
        until = time.monotonic() + SECONDS
        while not (found := re.search(words, self._log(name).read_text())):
            assert self._processes[name].poll() is None, self._log(name).read_text()
            assert time.monotonic() < until, f"{name} is not up"
            time.sleep(0.1)
        return list(found.groups())
