"""`airflow dags backfill`, as it was in Airflow 2: words in, exact instants and runs out."""
