"""Runs cases of the Autobahn|Testsuite against one server. For tests/autobahn.rs; Python 2.7, as the suite is.

    driver.py ws://127.0.0.1:PORT/echo CASE_OR_PATTERN...

Tells on standard error, a line at a time, what it will run and how each case ended:

    plan 1.1.1 1.1.2
    case 1.1.1 OK OK 1000 clean server
    case 1.1.2 OK OK 1000 clean server
    end

The columns of a case are those of expected.txt. The suite's own program would keep all results to the end, and
then spend most of its time on a page of HTML for each.
"""

import os
import sys

from autobahntestsuite.fuzzing import FuzzingClientFactory
from twisted.internet import reactor

# Seconds. The suite's own one is short for a busy machine, and who never closes is found out all the same.
OPTIONS = {"closeHandshakeTimeout": 10, "serverConnectionDropTimeout": 10}


def say(*words):
    try:
        sys.stderr.write(" ".join(words) + "\n")
    except IOError:
        os._exit(1)  # The test has gone, and nobody wants to know any more.


def one_word(verdict):
    return verdict.replace(" ", "-")


class Driver(FuzzingClientFactory):
    """The suite's client, which tells instead of keeping."""

    def logCase(self, case):
        say(
            "case",
            case["id"],
            one_word(case["behavior"]),
            one_word(case["behaviorClose"]),
            str(case["remoteCloseCode"] or "none"),
            "clean" if case["wasClean"] else "unclean",
            "client" if case["droppedByMe"] else "server",
        )

    def createReports(self, *_):
        say("end")

    def clientConnectionFailed(self, connector, reason):
        say("no connection for case", self.currentCaseId + ":", reason.getErrorMessage())
        reactor.stop()


def main(url, cases):
    driver = Driver({"servers": [{"agent": "the server", "url": url, "options": OPTIONS}], "cases": cases})
    say("plan", *driver.specCases)
    reactor.run()


main(sys.argv[1], sys.argv[2:])
