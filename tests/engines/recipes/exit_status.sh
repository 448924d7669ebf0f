MDE_EXIT_ZERO= timeout 210 cancel-machine-action --timeout 60 --wait 120 "$1" > answer.json
case $? in
  0) echo cancelled ;;
  8) echo "not now: try again in a minute" >&2; exit 75 ;;
  6) echo "the action did not end as cancelled: see outcome in answer.json" >&2; exit 1 ;;
  *) echo "not known to be cancelled: see the line on stderr" >&2; exit 1 ;;
esac
