"""What a file is: its columns, the schema of its rows, and the part that each column plays. Nothing is guessed in silence."""
