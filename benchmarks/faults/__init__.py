"""Small trainings with a known fault, or none, and how well the judgement of their logs agrees."""
