#!/bin/sh
# An agent. It counts the primes below two million, in eight steps, and saves after each where it is.
set -e
step=0 primes=0
if [ -n "$MCELL_CHECKPOINT" ]; then
    step=$(sed 's/.*"step": \([0-9]*\).*/\1/' "$MCELL_CHECKPOINT/state.json")
    primes=$(sed 's/.*"primes": \([0-9]*\).*/\1/' "$MCELL_CHECKPOINT/state.json")
    echo "I go on after step $step, with $primes primes"
fi
task=${MCELL_CLAIM%%:*}
[ -n "$task" ] || task=$(mcell task claim --next -q)
while [ "$step" -lt 8 ]; do
    mcell heartbeat -q
    echo "step $((step + 1)) of $task"
    more=$(seq $((step * 250000 + 1)) $(((step + 1) * 250000)) | factor | grep -c '^[0-9]*: [0-9]*$')
    step=$((step + 1)) primes=$((primes + more))
    echo "{\"step\": $step, \"primes\": $primes}" | mcell checkpoint save -q --state - >/dev/null
done
mcell task complete -q "$task" --result "$primes primes" >/dev/null
