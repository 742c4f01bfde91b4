#!/bin/sh
# A consumer for the shell, with curl and jq: consumer.sh ADDRESS NAME FILE
#
# Writes the title of every item to FILE, once. A token is taken from RASID_TOKEN. Killed at any time and started again, it
# goes on where it stopped: what was dealt with is acknowledged after it was written, and each line has the `seq` of its
# record, so that a record that comes once more is known.
set -eu
consumer=${1%/}/api/v1/consumers/$2
file=$3
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# ask METHOD URL [BODY]: leaves what is answered in $answer, and prints the status; 000 where nobody is there.
ask() {
    curl --silent --max-time 60 --request "$1" --header 'Content-Type: application/json' \
        ${RASID_TOKEN:+--header "Authorization: Bearer $RASID_TOKEN"} \
        ${3:+--data "$3"} --output "$answer" --write-out '%{http_code}' "$2" || true
}

# A line without its end was cut off in the middle, and comes again.
touch "$file"
if [ -n "$(tail -c 1 "$file")" ]; then
    sed '$d' "$file" > "$answer" && cat "$answer" > "$file"
fi
last=$(tail -n 1 "$file" | jq .seq)

while :; do
    status=$(ask GET "$consumer?limit=100&wait=30s")
    case $status in
        200)
            jq --compact-output --argjson last "${last:-0}" \
                '.records[] | select(.seq > $last) | { seq, kind, title: .item.title }' "$answer" >> "$file"
            next=$(jq .next "$answer")
            offset=$(jq .offset "$answer")
            [ "$next" -le "${last:-0}" ] || last=$next
            [ "$next" -le "$offset" ] || ask POST "$consumer/ack" "{ \"seq\": $next }" > /dev/null
            ;;
        404) ask PUT "$consumer" '{ "from": "beginning", "kind": "examples/consumer.sh" }' > /dev/null ;;
        000 | 429 | 502 | 503 | 504) sleep 1 ;;
        *)
            cat "$answer" >&2
            exit 1
            ;;
    esac
done
