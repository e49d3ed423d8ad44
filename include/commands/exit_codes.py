"""The exit codes of all verbs. docs/commands.md has the same table, and a test compares the two."""

DONE = 0
NOT_AS_ASKED = 1
WRONG_WORDS = 2
ROWS_REFUSED = 10
FILE_REFUSED = 20
NOT_DONE = 40
SIGNALLED = 128

MEANINGS = {
    DONE: "done, and all is as asked",
    NOT_AS_ASKED: (
        "done, but not all is as asked: a day is blocked, held, failed or not published, `check` warns, or `retire` "
        "leaves something"
    ),
    WRONG_WORDS: "a wrong word on the command line: nothing was started",
    ROWS_REFUSED: "`check` and `init` only: some rows would be refused",
    FILE_REFUSED: "`check` and `init` only: the whole file, or its day, would be refused",
    NOT_DONE: "not done: the message says why, and what to do",
    SIGNALLED: "and the signal's number added: interrupted, such as 130 after Ctrl-C",
}
