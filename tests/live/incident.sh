#!/bin/sh
# The steps of an incident, headless: the same that `incident.rs` types into the deck. What is merged between them is
# merged at the forge, by a person.
#
# Usage: DRIFTDECK=PROGRAM sh incident.sh capture|sync|look|revert|green      (in the repository)
set -eu

case $1 in
capture) # what a hand scaled goes into Git, as a pull request
    "$DRIFTDECK" capture web --field .spec.replicas --pull-request --yes
    ;;
sync) # what Git declares goes to the cluster, after the plan was printed
    "$DRIFTDECK" sync web --yes
    ;;
look) # which commit is the cluster at, and what did the newest change
    "$DRIFTDECK" history web
    "$DRIFTDECK" diff --base HEAD~1 --revision HEAD || [ $? -eq 1 ]
    ;;
revert) # what the newest commit changed is taken out, as a pull request
    "$DRIFTDECK" revert web HEAD --only-commit --pull-request --yes
    ;;
green) # nothing differs, and the record of what was done
    "$DRIFTDECK" check
    "$DRIFTDECK" journal
    ;;
esac
