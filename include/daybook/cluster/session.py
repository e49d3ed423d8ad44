"""The session with Spark, for pipelines with `engine="pyspark"`: begun by the first step that needs it, once a process.

PySpark is imported here only, and only then: without such a pipeline nothing needs it, nor Java. Spark's own settings
are where Spark reads them (spark-defaults.conf); those that results rest on are set here.
"""

import atexit
import os
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from daybook.errors import BadSpec, SourceUnavailable

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

VARIABLE = "DAYBOOK_SPARK_MASTER"
ON_THIS_MACHINE = "local[2]"
OURS = Path(__file__).parents[1]
# A sum past 64 bits is an error (ANSI), an instant is UTC, and `a` is another column than `A`.
EXACT = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",
}
QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
OTHERWISE = "or choose another engine"


def master() -> str:
    """Return the address of the cluster's master; without a word, two threads of this machine."""
    return os.environ.get(VARIABLE) or ON_THIS_MACHINE


def session() -> "SparkSession":
    """Return the process's session with Spark.

    Raises BadSpec if PySpark or Java is not here, and SourceUnavailable if the cluster does not answer.
    """
    check_installed()
    from pyspark.sql import SparkSession

    known = SparkSession.getActiveSession()
    if known is not None and not known.sparkContext._jsc.sc().isStopped():
        return known
    if known is not None:
        known.stop()
    return _begun()


def check_installed() -> None:
    """Raise BadSpec with the mend if PySpark or Java is not here."""
    try:
        import pyspark  # noqa: F401 - to see whether it is here
    except ImportError as error:
        raise BadSpec(
            f"engine='pyspark': the library {error.name} is not installed here; nothing was computed; install "
            f"requirements-spark.lock beside the others (docs/scale.md, Spark), {OTHERWISE}"
        ) from None
    home = os.environ.get("JAVA_HOME")
    if not shutil.which("java", path=f"{home}/bin" if home else None):
        where = f"JAVA_HOME names {home}, which has no bin/java" if home else "`java` is not on the PATH"
        raise BadSpec(
            f"engine='pyspark': no Java runtime is here ({where}); nothing was computed; install one, 17 or newer "
            f"(Debian: default-jre-headless), {OTHERWISE}"
        )


def _begun() -> "SparkSession":
    from pyspark.sql import SparkSession

    # Else a worker takes the `python3` of its PATH, which has not our libraries.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master()).appName("daybook").config(map=_settings())
    try:
        begun = builder.getOrCreate()
        begun.sparkContext.addPyFile(_our_code())
    # It may be of PySpark, of Py4J or of a socket; the first line of its message tells what it is.
    except Exception as error:
        said = (
            f"{VARIABLE}={master()}: Spark does not start ({type(error).__name__}: {str(error).partition(chr(10))[0]});"
            " nothing was computed"
        )
        if master().startswith("local"):
            raise BadSpec(f"{said}; see the lines of Java above, and mend its installation, {OTHERWISE}") from error
        raise SourceUnavailable(f"{said}; look whether the master is up, and reached from here") from error
    return begun


def _settings() -> dict[str, str]:
    is_here = master().startswith("local") or "//127.0.0.1:" in master()
    # Else Spark listens on each address of this machine.
    loopback = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"} if is_here else {}
    few = {"spark.sql.shuffle.partitions": "4"} if is_here else {}
    return EXACT | QUIET | loopback | few


def _our_code() -> str:
    """Return a zip file of this package, compiled, so that the workers run the code that the driver runs."""
    folder = Path(tempfile.mkdtemp(prefix="daybook-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with zipfile.PyZipFile(str(folder / "daybook.zip"), "w") as archive:
        archive.writepy(str(OURS))
    return str(folder / "daybook.zip")
