"""Forms that draw themselves from the parameters of a stage: fields, pickers, pre-flight check, start."""
