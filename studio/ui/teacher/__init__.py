"""The page Teacher: choose on evidence, hear candidates, ask one."""
