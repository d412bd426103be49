"""Exporters for media: timelines, subtitles and rendered films, each resumed scene by scene."""
