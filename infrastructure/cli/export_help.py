"""What `resumelog export --help` says: the lines that a command prints, and what it is given."""

HELP = """Run COMMAND, which makes one file; the same command line goes on after any interruption.

COMMAND reports what is done by lines on its standard output:

\b
  progress 0.42                a fraction
  units 3                      3 of --total are done, counted exactly
  progress 3/10  units 3/10    3 of 10
  cursor {"frame": 72}         its own position, JSON of at most 64 KiB;
  units 3 cursor [1, 2]        it counts until the next cursor

and gets its resume point in the environment, at the first attempt too:

\b
  RESUMELOG_PROGRESS           0.0 to 1.0
  RESUMELOG_UNITS_DONE         of --total; 0 without it
  RESUMELOG_UNITS_TOTAL        --total, or empty
  RESUMELOG_CURSOR             JSON, or empty
  RESUMELOG_OUTPUT             where to write: what {output} stands for
  RESUMELOG_KEY

ffmpeg's -progress pipe:1 is understood too, as the part of --total frames or of --duration.
A report below where the attempt began shows that COMMAND began at 0 again, and so does the job,
unless fractions have --scale relative. One that can't be used is told (once a kind), counted, and
ignored. All else that COMMAND prints goes on unchanged (on a terminal, line by line above the bar);
with --json all of it goes to standard error.

Its standard input is empty.

{output} is a temporary path that is moved into place when COMMAND succeeds. There is nothing
at first: COMMAND keeps what is done elsewhere, or appends to it with --keep-partial (a kill may
leave more in it than was reported). {{output}} stays {output}. A job that is done, and whose
output is intact, is skipped.

Ctrl+C, SIGTERM and SIGHUP go on to COMMAND; if it has not ended after --grace, SIGTERM and then
SIGKILL follow; a second Ctrl+C kills it. What it leaves running in its process group is ended.

\b
Examples:
  resumelog export reel.txt --total 20 -- sh -ec '
      for i in $(seq $RESUMELOG_UNITS_DONE 19); do
        echo "part $i" > part-$i     # first the work,
        echo units $((i + 1))        # then the report
      done
      for i in $(seq 0 19); do cat part-$i; done > "$1"' sh {output}
  resumelog export clip.mp4 --duration 4 -- ffmpeg -v error -nostdin -y \\
      -f lavfi -i testsrc=duration=4 -progress pipe:1 {output}

\b
Exit codes: 0 done, or done before; 1 COMMAND failed, or it could not be done;
2 wrong usage or input; 3 interrupted or paused; 4 done, but not all of it is on disk.
"""
