"""English words that stand in arguments of sentences. They are translated as the sentences are; any other value stays as it
is, because it is somebody's: a name, a path, the words of a library."""

ARGUMENTS = frozenset(
    {"kind", "wanted", "state", "split", "splits", "found", "places", "reason", "type", "method", "measure", "schema"}
)
"""The arguments in which such words may stand, alone or in a list."""

DROPS = {
    "rejected": "rejected by people",
    "no_answer": "no answer",
    "no_label": "no label",
    "cut_off": "cut off before its end",
    "no_marker": "without the mark before the answer",
    "input_length": "length of the input",
    "answer_length": "length of the answer",
    "pattern": "pattern of the answer",
    "echo": "repeats the input",
    "refusal": "declines the task",
    "language": "in another language",
    "disagrees": "people answered otherwise",
    "unsure": "teacher not sure enough",
    "low_score": "scored too low by the judge",
    "leak": "too close to a row that measures",
    "near_duplicate": "too close to another row",
    "balance": "more than its class may have",
}
"""Why a row is left out of a dataset: code -> words."""

PERSONAL = {
    "email": "e-mail address",
    "phone": "telephone number",
    "iban": "IBAN",
    "card": "payment card",
    "dni": "DNI or NIE",
    "cif": "CIF",
    "nuss": "Spanish social security number",
    "ssn": "US social security number",
    "nino": "UK national insurance number",
    "nhs": "NHS number",
    "sin": "Canadian SIN",
    "pps": "Irish PPS number",
    "tfn": "Australian tax file number",
    "medicare": "Australian Medicare number",
    "ip": "IP address",
}
"""Kinds of personal data: code -> words."""

WORDS = frozenset(
    {
        *DROPS.values(),
        *PERSONAL.values(),
        *("private key", "password", "access token", "connection string"),
        # kinds of artifacts, states of jobs, splits
        *("dataset", "model", "adapter", "onnx", "capture", "evaluation", "audition", "report", "package"),
        *("waiting", "queued", "running", "cancelling", "succeeded", "findings", "failed", "cancelled", "blocked"),
        *("train", "validation", "test", "pool"),
        # methods of the quick baseline (backend.data.baseline_scores), and what it is measured by
        *("commonest answer", "TF-IDF classifier", "nearest training example", "Accuracy", "Token F1"),
        # what a file or a cell holds
        *("a PDF document", "a picture", "an SQLite database", "a 7z archive", "a RAR archive"),
        *("a document of another program", "a web page or XML document"),
        *("a NumPy file", "a program", "a GGUF model", "binary data"),
        *("object", "list", "text", "number", "true or false", "nothing", "empty", "not a list"),
        *("row numbers", "codes", "dates", "lists", "the same value in all rows"),
        # schemas of files (backend.data.reading.schemas)
        *(
            "Text and label",
            "Subject, body and label",
            "Question and answer",
            "Texts without an answer",
            "Raw text",
            "Alpaca",
        ),
        *("Prompt and completion", "Dolly", "Question on a text", "SQuAD", "Two texts and a label", "Multiple choice"),
        *(
            "Text and summary",
            "Translation",
            "Columns of 0 and 1",
            "Several labels",
            "Preference",
            "Good and bad answers",
        ),
        *("Chat messages", "ShareGPT", "One row per turn", "Conversation and label", "Conversation and summary"),
        *("OpenAI evals", "Label Studio", "doccano", "Export of the studio"),
        # reasons
        *("nested too deeply", "Expecting value", "Extra data", "Expecting property name enclosed in double quotes"),
        *("Expecting ':' delimiter", "Expecting ',' delimiter", "Unterminated string starting at"),
        *("Invalid control character at", "Invalid \\escape", "Invalid \\uXXXX escape"),
        *("Permission denied", "No such file or directory", "Read-only file system", "Not a directory"),
        *("the stream ended early", "unreadable bytes", "an empty reply"),
        *("gives values that are not numbers", "gives every token the same value"),
        *("it ended without a word.", "the converter was killed.", "unknown kind of database."),
        *("unnamed", "unknown method"),
        # why a candidate failed an audition
        *("no better than always giving the same answer", "most of its answers are no label"),
        *("most of its answers are empty", "it didn't answer"),
    }
)
