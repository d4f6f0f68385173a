"""Sentences about load tests."""

MESSAGES: dict[str, tuple[str, str]] = {
    "load.no_cores": (
        "This system can't keep a process on some of its cores.",
        "Set “CPU cores” (cores) to 0, or test on Linux.",
    ),
    "load.clients": (
        "Each level needs 1 to {most} clients.",
        "Enter whole numbers, such as 1, 4, 16.",
    ),
    "load.no_prompts": (
        "“{ref}” has no {split} rows to ask: the server takes no tools.",
        "Choose another split or dataset.",
    ),
    "load.no_answer": (
        "The server did not answer the first request: {reason}",
        "Check the job's log, then retry.",
    ),
    "load.errors": (
        "{count} of {total} requests from {clients} clients failed: {reason}.",
        "Use fewer clients, more seconds per level, or a smaller model.",
    ),
    "load.short": (
        "Time ran out with {clients} clients: {count} of {total} requests were sent.",
        "Allow more seconds per level, or ask for fewer requests.",
    ),
    "load.slow": (
        "With {clients} clients, latency p95 is {value} ms; the limit is {limit} ms.",
        "Serve fewer users at once, or use a smaller model.",
    ),
    "load.memory": (
        "Peak memory is {value} MB; the limit is {limit} MB.",
        "Use a smaller model or fewer bits.",
    ),
}
