"""The routes of the page, a concern a file; each file makes its routes for a workspace."""
