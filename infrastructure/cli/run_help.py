"""What `resumelog run --help` says."""

HELP = """Run COMMAND for each scene of INPUT; the same command line goes on after any interruption.

INPUT is JSON lines, a JSON array, CSV with a header, or plain lines; - is standard input.
{field}, {key}, {index} (from 0) and {line} are filled in without a shell; {{word}} stays
{word}. With --artifact the command writes to {artifact}, a temporary path that is moved into
place when it succeeds. What it prints is the scene's result. It gets RESUMELOG_SCENE,
RESUMELOG_INDEX, RESUMELOG_ATTEMPT and RESUMELOG_ARTIFACT, with --after RESUMELOG_BEFORE (up to
64 KiB) and RESUMELOG_BEFORE_FILE, in its environment; --check RESUMELOG_RESULT too.

What is done is skipped, what failed is done again. A scene whose input, command or file
changed is made again. Ctrl+C lets the running scenes finish, a second one, SIGTERM or
SIGHUP ends them. With --retry-failed, scenes that were never tried remain.

\b
Examples:
  resumelog run shots.csv --project reel --stage image --workers 4 \\
      --artifact 'img/{id}.png' -- draw --text '{title}' --out '{artifact}'
  resumelog run shots.csv --project reel --stage video --after image --timeout 600 \\
      --artifact 'clips/{id}.mp4' -- render '{before_file}' '{artifact}'
  resumelog run shots.csv --project reel --stage text --retries 2 \\
      --params '{"style": "ink"}' --check 'grep -q .' -- write '{title}' '{style}'
  ls *.wav | resumelog run - --project talk --stage audio -- normalize '{line}'
  resumelog run - --format csv --project talk --stage text -- say '{title}' < talk.csv

\b
Exit codes: 0 done; 1 some scenes failed; 2 wrong usage or input;
3 interrupted, paused or stopped; 4 done, but not all of it is on disk.
"""
