"""A first spec of a pipeline, from a sample file or a table: what `./daybook init` proposes, and how it is written.

    answers.py      what a person has said, and the questions that a sample leaves open
    sample.py       how a sample file is written, and its fields as texts
    texts.py        the fields of one column, counted
    names.py        headers as names of a spec
    numbers.py      how the numbers of a column are written
    moments.py      how its dates and times are written
    columns.py      the kind of each column
    paths.py        the day in a file's name
    keys.py         the columns that tell rows apart, and those to group by
    from_file.py    the pipeline of a sample file
    live.py         a table as its database knows it
    from_table.py   the pipeline of a table
    literals.py     calls and values as a person formats them in Python
    module.py       the pipeline's module
    own_test.py     the test of the module
    place.py        where both are written, and that nothing is overwritten

It decides by counts over all rows, never by a library's guess; what the rows leave open is a question. No value of a
row is ever written but a spelling of nothing, of yes and of no.
"""
