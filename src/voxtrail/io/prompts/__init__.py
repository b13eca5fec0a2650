"""Prompts in and out: what a person drew, as a label map or as JSON."""

from voxtrail.io.prompts.files import check_prompts_output, read_prompts, write_prompts

__all__ = ["check_prompts_output", "read_prompts", "write_prompts"]
