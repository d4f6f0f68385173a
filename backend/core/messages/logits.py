"""Sentences about captures and learning from them."""

MESSAGES: dict[str, tuple[str, str]] = {
    "capture.data": (
        "The capture does not match the training rows of “{data}”.",
        "Choose its dataset, or capture again.",
    ),
    "capture.template": (
        "The capture used a different prompt template than “{data}”.",
        "Choose its dataset, or capture again.",
    ),
    "capture.chat_template": (
        "“{student}” has a different chat template than the capture's teacher.",
        "Choose a student with the teacher's chat template, or train without a capture.",
    ),
    "capture.teacher": (
        "The capture's teacher has changed since.",
        "Capture again.",
    ),
    "capture.tokenizer": (
        "Only {matched} of {rows} rows tokenize identically for student and teacher.",
        "Choose a student with the teacher's tokenizer and the same maximum length, or train without a capture.",
    ),
    "capture.temperature": (
        "The capture has no probabilities for temperature {temperature}.",
        "Use one of: {known}.",
    ),
    "capture.temperatures": (
        "Temperature {temperature} is out of range.",
        "Use numbers from 0.1 to 20.",
    ),
    "capture.truncated": (
        "{file} of the capture “{capture}” has {have} bytes instead of {want}.",
        "The file is incomplete. Capture again.",
    ),
}
