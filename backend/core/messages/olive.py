"""Sentences about Olive."""

MESSAGES: dict[str, tuple[str, str]] = {
    "olive.unreadable": ("{file} can't be read: {reason}.", "Use the JSON file that Olive runs."),
    "olive.no_workflow": ("{file} is not an Olive workflow.", "Use a JSON file with `input_model` and `passes`."),
    "olive.nothing": ("{file} has no pass that trains or converts.", "Use a workflow with such a pass."),
    "olive.pass_unknown": (
        "The studio has nothing like the pass “{name}” ({type}).",
        "Remove it from the workflow, or run it with Olive.",
    ),
    "olive.value_unknown": ("“{value}” is not known for {name}.", "Change it in the workflow."),
    "olive.model": (
        "The model is expected under the name “{name}”.",
        "If it is not in the studio yet: `slmops models import {path}`.",
    ),
    "olive.data": (
        "{place}: the rows of “{data}” are not in a file.",
        "Name yours: `slmops run RECIPE --set data.source=FILE`.",
    ),
    "olive.left_out": ("{place} = {value} was left out.", "Check that the result does not depend on it."),
    "olive.targets": (
        "{place} is not given: PEFT would choose by the architecture, the studio adapts all linear layers.",
        "Set `targets` in the recipe for others.",
    ),
    "olive.head": (
        "{place} is off: Olive would leave the output head as it is, the studio rounds it too.",
        "Set `head_bits: 8` in the recipe to keep more of it.",
    ),
    "olive.no_way": (
        "Olive does not do what job {job} ({stage}) did.",
        "Use a fine-tuning by adapter or a quantization; `slmops jobs list` shows them.",
    ),
    "olive.whole_loss": ("Olive learns whole conversations, the studio only the answers.", "Expect other losses."),
    "olive.joined": (
        "Olive joins rows to sequences of full length, the studio keeps each apart.",
        "Expect other losses and numbers of steps.",
    ),
    "olive.differs": ("“{name}” has no counterpart; here it is {value}.", "Expect another result."),
    "olive.own_rows": ("This command calibrates on WikiText, not on your rows.", "Use the workflow for your rows."),
    "olive.calibration": (
        "The workflow reads {file}, which is not exported.",
        "Write it from training rows: JSON lines with `text`, in the chat template.",
    ),
    "olive.unmended": (
        "With transformers 5 Olive's builder misreads some models; the studio corrects that.",
        "Where the studio is installed, `python -m backend.ml.compression.olive_cli` runs Olive with its corrections.",
    ),
}
