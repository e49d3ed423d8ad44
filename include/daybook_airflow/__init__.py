"""All that knows Airflow: tasks, the form, what is loaded before tasks fork, and the backfill command."""
