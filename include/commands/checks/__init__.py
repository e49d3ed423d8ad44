"""The checks of `./daybook doctor`, a module for each group; they ask and look, start nothing and change nothing.

finding.py     what a check found, and its mend
place.py       what is examined: this checkout's deployment, or the servers that the environment names
published.py   the published folder against the warehouse's ledger
receipts.py    the receipts of the runs
servers.py     connections, servers, Airflow's parts and pools; of those that answer also
databases.py   tables against the contract, and the rights of the role
deliveries.py  the sender's folder, and its newest file against the spec
clocks.py      clocks and time zones
orphans.py     files and processes that belong to nothing
machine.py     disk space and the rights of folders
store.py       the data folder in an object store
software.py    Python, packages, libraries and the pipelines' modules
"""
