"""What can go wrong with an export of media. `job` names the output.

ResumelogError
├── Refused, BadInput            see resumelog.domain.errors; nothing was written
│   ├── BadVersion               a version that no exporter can take
│   ├── MissingSource            a scene's media is no file that can be read
│   ├── SourceIsOutput           the export would overwrite it
│   ├── NotInFormat              the output's format can't hold it
│   └── BadOption                an option of the exporter
├── NoExtra                      what the exporter stands on is not installed
├── NoFfmpeg                     no ffmpeg that runs
└── FfmpegFailed                 it ended with an error, or made something else than was asked for
"""

from __future__ import annotations

from resumelog.domain.errors import BadInput, ResumelogError

INSTALL = (
    "pip install '.[media]' in the clone of resumelog,"
    " or pip install 'resumelog[media]' from an index"
)


class BadVersion(BadInput):
    """A scene or a field that says nothing an exporter can use."""

    text = "{where}: {why}"
    where: str
    why: str


class MissingSource(BadInput):
    """A scene whose media can't be read."""

    text = "scene {scene} has no media to render: {why}; put the file there, or name another source"
    scene: str
    why: str


class SourceIsOutput(BadInput):
    """A scene whose media would be lost: the output takes its place."""

    text = "the output is the media of scene {scene}, which would be lost; name another output"
    scene: str


class NotInFormat(BadInput):
    """Something that the output's format has no place for."""

    text = "{format} can't hold {what}; {advice}"
    format: str
    what: str
    advice: str


class BadOption(BadInput):
    """An option that the exporter can't work with."""

    text = "{why}"
    why: str


class NoExtra(ResumelogError):
    """The packages of the extra are not there."""

    text = f"{{what}} is not installed; {INSTALL}"
    what: str


class NoFfmpeg(ResumelogError):
    """Nothing to render with."""

    text = f"{{why}}; {INSTALL}, or hand the exporter a path: ffmpeg=…"
    why: str


class FfmpegFailed(ResumelogError):
    """What ffmpeg was to do is not done."""

    text = "ffmpeg failed at {what}: {why}"
    what: str
    why: str
