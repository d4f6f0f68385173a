"""Sentences about recipes."""

MESSAGES: dict[str, tuple[str, str]] = {
    "recipe.missing": (
        "There is no recipe {file}.",
        "Check the path, or list built-in recipes with `slmops run --list`.",
    ),
    "recipe.unreadable": ("{file} can't be read: {reason}.", "Check the file and its permissions."),
    "recipe.yaml": ("{file} is not valid YAML: {reason}.", "Fix that line."),
    "recipe.unknown_key": ("There is no setting called “{key}”.", "Fix its name or remove it."),
    "recipe.unknown_stage": ("There is no stage called “{name}”.", "Use one of: {names}."),
    "recipe.renamed": ("“{old}” is now “{new}”.", "It still works; use the new name."),
    "recipe.twice": ("Duplicate stage id “{id}”.", "Give each stage a unique id."),
    "recipe.unknown_ref": ("${{{ref}}} is not a stage of this recipe.", "Use one of: {ids}."),
    "recipe.unknown_after": ("It waits for “{id}”, which is not a stage of this recipe.", "Use one of: {ids}."),
    "recipe.cycle": ("These stages wait for each other: {path}.", "Remove one of these dependencies."),
    "recipe.for_axis": (
        "“{axis}” is not an axis.",
        "Write {axis}: [1, 2], or names with the parameters of each: {axis}: {{small: {{rank: 4}}, large: {{rank: 32}}}}.",
    ),
    "recipe.for_empty": ("The axis “{axis}” has no values.", "Give it at least one, or remove it."),
    "recipe.for_id": (
        "The id “{id}” lacks {{{axis}}}, so several stages would share it.",
        "Add {{{axis}}} to it, or remove the axis.",
    ),
    "recipe.for_clash": ("The axis “{axis}” has the same name as a stage.", "Rename one of them."),
    "recipe.for_prompt": ("{{{axis}}} is reserved in prompts.", "Give the axis another name."),
    "recipe.for_many": (
        "The `for` blocks create {count} stages; the limit is {limit}.",
        "Use fewer values, or split it into several recipes.",
    ),
    "recipe.for_with": (
        "The axis “{axis}” has parameters no stage uses.",
        "Add `with: {axis}` to the stages that use them.",
    ),
    "recipe.with": (
        "`with: {axis}` is not an axis with parameters.",
        "Use one such as {{small: {{rank: 4}}, large: {{rank: 32}}}}.",
    ),
    "recipe.set_unknown": ("--set {key}: no stage has that id.", "Write <id>.<parameter>=<value>; the ids are {ids}."),
    "recipe.set_seed": ("--set {key}={text}: a seed is a whole number.", "Use, for example, --set {key}=7."),
    "recipe.set_form": ("--set {text} has no value.", "Write <id>.<parameter>=<value>."),
}
