"""What a pipeline is, for people and programs that only read: pages, a data contract, a JSON Schema.

columns.py   the published columns: type, unit, formula, and the columns of sources that they rest on
contract.py  a pipeline's published views as a contract of the Open Data Contract Standard
schema.py    the words of a spec as JSON Schema, and a pipeline as JSON
site.py      the pages of all pipelines, as a folder of files
"""
