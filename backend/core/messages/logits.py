"""Sentences about captures and learning from them."""

MESSAGES: dict[str, tuple[str, str]] = {
    "capture.data": (
        "The capture was made from other training rows than “{data}” has.",
        "Choose the dataset that it was made from, or capture again.",
    ),
    "capture.template": (
        "The capture was made with another prompt template than that of “{data}”.",
        "Choose the dataset that it was made from, or capture again.",
    ),
    "capture.chat_template": (
        "“{student}” was given another chat template than the teacher of the capture.",
        "Choose a student with the teacher's chat template, or train without a capture.",
    ),
    "capture.teacher": (
        "The teacher of the capture is no longer the model that it was made with.",
        "Capture again.",
    ),
    "capture.tokenizer": (
        "Only {matched} of {rows} rows have the same tokens for the student as for the teacher.",
        "Choose a student with the teacher's tokenizer and the same maximum length, or train without a capture.",
    ),
    "capture.temperature": (
        "The capture holds no probabilities for the temperature {temperature}.",
        "Use one of: {known}.",
    ),
    "capture.temperatures": (
        "{temperature} is no temperature to learn with.",
        "Use numbers from 0.1 to 20.",
    ),
    "capture.truncated": (
        "{file} of the capture “{capture}” has {have} bytes instead of {want}.",
        "The file was cut off or lost: capture again.",
    ),
}
