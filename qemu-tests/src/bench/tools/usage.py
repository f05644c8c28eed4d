# SPDX-License-Identifier: GPL-2.0-only
# Runs a command, and prints on descriptor 3 the seconds of processor time of all its processes and the kilobytes of the
# largest. Those that the command does not wait for come to a subreaper (PR_SET_CHILD_SUBREAPER), so they count, too.
import ctypes
import os
import resource
import subprocess
import sys

ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
before = resource.getrusage(resource.RUSAGE_CHILDREN)
command = subprocess.Popen(sys.argv[1:]).pid
status = 0
while True:
    try:
        ended, how = os.wait()
    except ChildProcessError:
        break
    if ended == command:
        status = os.waitstatus_to_exitcode(how)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
seconds = usage.ru_utime + usage.ru_stime - before.ru_utime - before.ru_stime
os.write(3, f'{seconds} {usage.ru_maxrss}\n'.encode())
sys.exit(status)
