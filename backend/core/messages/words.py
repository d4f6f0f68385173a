"""English words that stand in arguments of sentences. They are translated as the sentences are; any other value stays as it
is, because it is somebody's: a name, a path, the words of a library."""

ARGUMENTS = frozenset(
    {
        *(
            "kind",
            "wanted",
            "state",
            "split",
            "splits",
            "found",
            "places",
            "reason",
            "type",
            "method",
            "measure",
            "schema",
        ),
        *("language", "known"),
    }
)
"""The arguments in which such words may stand, alone or in a list."""

DROPS = {
    "rejected": "rejected in review",
    "no_answer": "no answer",
    "too_long": "longer than the context",
    "no_label": "invalid label",
    "two_labels": "several labels",
    "cut_off": "cut off",
    "no_marker": "answer marker missing",
    "input_length": "input length",
    "answer_length": "answer length",
    "pattern": "answer pattern",
    "echo": "repeats the input",
    "refusal": "refusal",
    "language": "other language",
    "disagrees": "disagrees with human label",
    "unsure": "low confidence",
    "low_score": "low judge score",
    "leak": "leaks into validation or test",
    "near_duplicate": "near duplicate",
    "balance": "class limit",
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

LANGUAGE_NAMES = {
    "en": "in English",
    "es": "in Spanish",
    "fr": "in French",
    "de": "in German",
    "it": "in Italian",
    "pt": "in Portuguese",
}
"""The code of a language -> how a sentence says it."""

WORDS = frozenset(
    {
        "it is read-only.",
        *LANGUAGE_NAMES.values(),
        *DROPS.values(),
        *PERSONAL.values(),
        *("private key", "password", "access token", "connection string"),
        # kinds of artifacts, states of jobs, splits
        *("dataset", "model", "adapter", "onnx", "capture", "evaluation", "audition", "report", "package"),
        *("waiting", "queued", "running", "cancelling", "succeeded", "findings", "failed", "cancelled", "blocked"),
        *("train", "validation", "test", "pool"),
        # methods of the quick baseline (backend.data.baseline_scores), and what it is measured by
        *("most common answer", "TF-IDF classifier", "nearest training example", "Accuracy", "Token F1"),
        # what a file or a cell holds
        *("a PDF document", "an image", "an SQLite database", "a 7z archive", "a RAR archive"),
        *("another program's document", "a web page or XML document"),
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
        *(
            "Prompt and completion",
            "Dolly",
            "Question about a text",
            "SQuAD",
            "Two texts and a label",
            "Multiple choice",
        ),
        *(
            "Text and summary",
            "Translation",
            "Columns of 0 and 1",
            "Several labels",
            "Preference",
            "Good and bad answers",
        ),
        *("Chat messages", "ShareGPT", "One row per turn", "Conversation and label", "Conversation and summary"),
        *("OpenAI evals", "Label Studio", "doccano", "Studio export"),
        # reasons
        *("nested too deeply", "Expecting value", "Extra data", "Expecting property name enclosed in double quotes"),
        *("Expecting ':' delimiter", "Expecting ',' delimiter", "Unterminated string starting at"),
        *("Invalid control character at", "Invalid \\escape", "Invalid \\uXXXX escape"),
        *("Permission denied", "No such file or directory", "Read-only file system", "Not a directory"),
        *("the stream ended early", "unreadable bytes", "an empty reply"),
        *("gives values that are not numbers", "gives every token the same value"),
        *("it ended without output.", "the converter was killed.", "unknown kind of database."),
        *("unnamed", "unknown method"),
        # why a conversation can't be rendered
        *("empty message", "only a system message", "unknown role", "system message in the middle"),
        *("assistant message first", "two assistant messages in a row", "user message without an answer"),
        *("tool call without a result", "tool result without a call", "message out of turn"),
        # why a candidate failed an audition
        *("no better than always giving the same answer", "most of its answers are invalid labels"),
        *("most of its answers are empty", "it didn't answer"),
    }
)
