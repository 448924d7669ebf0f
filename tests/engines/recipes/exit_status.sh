timeout 210 cancel-machine-action --timeout 60 --wait 120 "$1" > answer.json
case $? in
  0) echo cancelled ;;
  8) echo "not now: try again in a minute" >&2; exit 75 ;;
  6) echo "the service accepted the cancel, but the action did not end as cancelled" >&2; exit 1 ;;
  *) echo "not cancelled: see the line on stderr" >&2; exit 1 ;;
esac
