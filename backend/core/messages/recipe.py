"""Sentences about recipes."""

MESSAGES: dict[str, tuple[str, str]] = {
    "recipe.missing": (
        "There is no recipe {file}.",
        "Check the path; the shipped ones are listed by `slmops run --list`.",
    ),
    "recipe.unreadable": ("{file} can't be read: {reason}.", "Check the file and its permissions."),
    "recipe.yaml": ("{file} is not valid YAML: {reason}.", "Correct the line that is named."),
    "recipe.unknown_key": ("There is no setting called “{key}”.", "Correct its name or leave it out."),
    "recipe.unknown_stage": ("There is no stage called “{name}”.", "Use one of: {names}."),
    "recipe.renamed": ("“{old}” is called “{new}” now.", "It still works; write the new name."),
    "recipe.twice": ("Two stages have the id “{id}”.", "Give each stage an id of its own."),
    "recipe.unknown_ref": ("${{{ref}}} names no stage of this recipe.", "Use one of: {ids}."),
    "recipe.unknown_after": ("It waits for “{id}”, which is no stage of this recipe.", "Use one of: {ids}."),
    "recipe.cycle": ("These stages wait for each other: {path}.", "Let one of them use something else."),
    "recipe.for_axis": (
        "“{axis}” is not an axis.",
        "Write {axis}: [1, 2], or names with the parameters of each: {axis}: {{small: {{rank: 4}}, large: {{rank: 32}}}}.",
    ),
    "recipe.for_empty": ("The axis “{axis}” has no values.", "Give it at least one, or leave it out."),
    "recipe.for_id": (
        "The id “{id}” doesn't hold {{{axis}}}, so several stages would have it.",
        "Write {{{axis}}} somewhere in it, or leave out the axis.",
    ),
    "recipe.for_clash": ("The axis “{axis}” is called like a stage of this recipe.", "Rename one of them."),
    "recipe.for_prompt": ("{{{axis}}} has a meaning of its own in prompts.", "Give the axis another name."),
    "recipe.for_many": (
        "The blocks with `for` make {count} stages; {limit} are possible.",
        "Give the axes fewer values, or make several recipes of it.",
    ),
    "recipe.for_with": (
        "The axis “{axis}” has parameters that no stage takes.",
        "Write `with: {axis}` in the stages that they are for.",
    ),
    "recipe.with": (
        "`with: {axis}` names no axis that has parameters.",
        "Name one that is written as {{small: {{rank: 4}}, large: {{rank: 32}}}}.",
    ),
    "recipe.set_unknown": ("--set {key}: no stage has that id.", "Write <id>.<parameter>=<value>; the ids are {ids}."),
    "recipe.set_seed": ("--set {key}={text}: a seed is a whole number.", "Write for instance --set {key}=7."),
    "recipe.set_form": ("--set {text} has no value.", "Write <id>.<parameter>=<value>."),
}
