"""The dashboard of template.yaml as a picture: its numbers, its expressions, its queries, and how it is drawn."""
