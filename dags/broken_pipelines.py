"""What is wrong with pipelines that do not load, as an import error of Airflow's; the DAGs of the others are not hurt.

daybook.py makes a DAG of each pipeline that loads. Airflow reads this file too, and shows what it raises in the UI.
"""

from daybook.pipelines import load_pipelines
from daybook_airflow.broken import tell_broken

tell_broken(load_pipelines(), __file__)
load_pipelines().check()
