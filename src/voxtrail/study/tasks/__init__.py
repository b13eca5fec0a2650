"""What is done with a structure: a frozen dataclass a kind, its fields all that it depends on."""
