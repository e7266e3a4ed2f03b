"""The pages of rules: the list, and the builder with its sentence and back-test."""
