"""The page Review: people check a teacher's answers."""
