"""The page Playground: one or two models answer the same message side by side."""
