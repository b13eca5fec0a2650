"""What is done with a case: a frozen dataclass a kind, whose fields are all that it depends on."""
