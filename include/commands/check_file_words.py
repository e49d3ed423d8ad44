"""The words about a whole file that `check` tries, in their order. A new word is one entry in the table here.

Called by check_proposals.py; check_row_words.py has the words that take refused rows.
"""

from commands.check_header_words import further_columns, headers, other_names, places
from commands.check_words import (
    Word,
    comments,
    compressions,
    delimiters,
    encodings,
    formats,
    header_lines,
    line_ends,
    no_header,
    quotes,
    sep_lines,
    trailing_delimiters,
)

# The words that the head of a file tells, in the order in which the loader reads by them: each is tried with each
# combination of those before it.
FILE_WORDS: tuple[Word, ...] = (
    compressions,
    formats,
    encodings,
    line_ends,
    delimiters,
    sep_lines,
    comments,
    quotes,
    header_lines,
    no_header,
    headers,
    other_names,
    places,
    trailing_delimiters,
    further_columns,
)

# Those that say something about a file that is no CSV.
WORDS_OF_OTHERS: tuple[Word, ...] = (headers, further_columns)
